/** What a REST route gives back; headers besides the content type where there are any. */
export interface RestAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(value: unknown, status = 200): RestAnswer {
  return textAnswer(JSON.stringify(value), status);
}

/** JSON that is text already. */
export function textAnswer(body: string, status = 200): RestAnswer {
  return { status, contentType: 'application/json;charset=utf-8', body };
}

/** The exchange's error shape. */
export function errorAnswer(status: number, code: number, msg: string): RestAnswer {
  return jsonAnswer({ msg, code }, status);
}

export const invalidSymbol = errorAnswer(400, -1121, 'invalid symbol');

export function tooManyRequests(retryAfterSeconds: number): RestAnswer {
  return { ...jsonAnswer({ code: 429, msg: 'Too Many Requests' }, 429), headers: { 'retry-after': String(retryAfterSeconds) } };
}

export function banned(retryAfterSeconds: number): RestAnswer {
  return { ...jsonAnswer({ code: 418, msg: 'Too Many Requests' }, 418), headers: { 'retry-after': String(retryAfterSeconds) } };
}

/** The page of the firewall in front of the exchange: HTML, and no word about when to come back. */
export const firewallPage: RestAnswer = {
  status: 403,
  contentType: 'text/html',
  body: `<HTML><HEAD>
<TITLE>Access Denied</TITLE>
</HEAD><BODY>
<H1>Access Denied</H1>
You don't have permission to access "http&#58;&#47;&#47;api&#46;mexc&#46;com&#47;" on this server.<P>
Reference&#32;&#35;18&#46;simulated
</BODY>
</HTML>
`,
};

export function brokenGateway(status: number): RestAnswer {
  return {
    status,
    contentType: 'text/html',
    body: `<html>\r\n<head><title>${status}</title></head>\r\n<body>upstream error</body>\r\n</html>\r\n`,
  };
}
