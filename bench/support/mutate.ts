/** Mutations of a source file that a person could make by mistake; found in its syntax tree, never in types or text. */
import ts from 'typescript';

/** A mutation: the original and the changed code. */
export interface Mutation {
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** The whole file with the change. */
  readonly text: string;
}

const swapped: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
  [ts.SyntaxKind.AsteriskToken]: '/',
  [ts.SyntaxKind.SlashToken]: '*',
  [ts.SyntaxKind.PercentToken]: '*',
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
};

/** All mutations by the rules: swapped operators, incremented numbers, negated conditions. */
export function mutationsOf(file: string, source: string): readonly Mutation[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
  const found: Mutation[] = [];
  const replace = (node: ts.Node, after: string): void => {
    const start = node.getStart(tree);
    found.push({
      line: tree.getLineAndCharacterOfPosition(start).line + 1,
      before: node.parent.getText(tree).slice(0, 80),
      after,
      text: source.slice(0, start) + after + source.slice(node.getEnd()),
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isImportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const after = swapped[node.operatorToken.kind];
      // + also concatenates strings, where nobody would write a minus by mistake.
      const ofText = /['`]/.test(node.left.getText(tree) + node.right.getText(tree));
      if (after && !ofText) replace(node.operatorToken, after);
    }
    if (ts.isNumericLiteral(node)) replace(node, String(Number(node.text) + 1));
    if (ts.isIfStatement(node)) replace(node.expression, `!(${node.expression.getText(tree)})`);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}
