/** The public names of the packages with their declarations, read from the built `.d.ts` files. */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const built = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** What people import, and the declarations that `npm run check` builds for it. */
export const entryPoints: Readonly<Record<string, string>> = {
  magface: built('magface/dist/index.d.ts'),
  'magface/browser': built('magface/dist/browser/index.d.ts'),
  'magface/client': built('magface/dist/client/index.d.ts'),
  'magface/eval': built('magface/dist/eval/index.d.ts'),
  'magface/formats': built('magface/dist/format/index.d.ts'),
  'magface/gallery': built('magface/dist/gallery/index.d.ts'),
  'magface/models': built('magface/dist/models/index.d.ts'),
  'magface/train': built('magface/dist/train/index.d.ts'),
  '@magface/torch': built('torch/dist/index.d.ts'),
};

/** Each exported name of an entry point with its declaration in one line, without comments; names in order. */
export function apiOf(entry: string): Record<string, string> {
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${entry}: expected a built module; run npm run check first`);
  const printer = ts.createPrinter({ removeComments: true });
  const text = (declaration: ts.Declaration): string =>
    printer
      .printNode(ts.EmitHint.Unspecified, declaration, declaration.getSourceFile())
      .replace(/\s+/g, ' ')
      .replace(/^export (declare )?/, '');
  const names = checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(
    names.map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return [symbol.name, (target.declarations ?? []).map(text).join(' ')];
    }),
  );
}
