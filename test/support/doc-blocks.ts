import { projectFiles } from '../tidy/files.js';

/** A fenced block of a document. */
export interface DocBlock {
  /** Of the document. */
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of every document that names its language; with `language` those of that one, `''` = those that name none. */
export function docBlocks(language?: string): readonly DocBlock[] {
  return projectFiles()
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```/gm)].map((match) => ({
        path,
        line: text.slice(0, match.index).split('\n').length,
        language: match[1]!,
        text: match[2]!,
      })),
    )
    .filter((block) => (language === undefined ? block.language !== '' : block.language === language));
}

/** The commands of a block, without what is remarked about them. */
export function commandsOf({ text }: DocBlock): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/(^|\s{2,})#.*$/, '').trim())
    .filter((line) => line !== '');
}
