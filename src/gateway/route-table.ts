/** The methods of every path, so that a wrong method is told from a wrong path. */
export class RouteTable {
  readonly #routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** `url` as given to the router: `/orderbook/:symbol`. */
  add(url: string, methods: readonly string[]): void {
    const existing = this.#routes.get(url);
    if (existing !== undefined) {
      for (const method of methods) existing.methods.add(method);
      return;
    }
    // Paths are letters, dots, slashes, `:name` segments and, at the end, `*` for anything.
    const pattern = new RegExp(
      `^${url
        .replaceAll('.', '[.]')
        .replaceAll('*', '.*')
        .replace(/:[^/]+/g, '[^/]+')}$`,
    );
    this.#routes.set(url, { pattern, methods: new Set(methods) });
  }

  /** What may be done with a path; empty when there is no such path. */
  methodsOf(path: string): string[] {
    for (const { pattern, methods } of this.#routes.values()) if (pattern.test(path)) return [...methods].sort();
    return [];
  }
}
