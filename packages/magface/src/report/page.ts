/** The shell of a single-file page, with a policy that forbids loading anything. */
import { pageStyle } from './style.ts';

/** Parts of a page, all HTML except the title. */
export interface Page {
  /** Plain text. */
  readonly title: string;
  readonly body: string;
  /** Scripts to run after loading; each must be self-contained. @default none */
  readonly scripts?: readonly (() => void)[];
}

/** @returns the whole HTML file */
export function page({ title, body, scripts = [] }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
${body}
${scripts.map((script) => `<script>${keepNames}(${script.toString()})();</script>`).join('\n')}
</body>
</html>
`;
}

/** Compilers that keep function names insert calls of this helper. */
const keepNames = 'var __name = (made) => made;';

/** @returns text for HTML, attributes included */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @returns `1 face`, `2 faces` */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** @returns three figures: `15.2`, `3.10`, `110` */
export const threeFigures = (value: number): string => (value < 100 ? value.toPrecision(3) : value.toFixed(0));

/** @returns `97.73 %` */
export const inPercent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;
