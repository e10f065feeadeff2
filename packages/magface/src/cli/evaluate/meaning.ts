/** What quality means: as a probability, and in every group. Shared by `evaluate pairs` and `evaluate set`. */
import { InvalidArgumentError } from 'commander';
import type { QualityFairness } from '../../eval/quality-fairness.ts';
import type { QualityMeaning } from '../../eval/quality-meaning.ts';
import type { Reliability } from '../../eval/reliability.ts';
import type { Calibration } from '../../quality.ts';
import { inPercent } from '../../report/page.ts';

export function meaningLines({ reliability, fairness = {} }: QualityMeaning): string[] {
  const { fmr, genuine, fitted, score } = reliability;
  return [
    `Quality as the probability that a genuine pair is accepted at FMR ${fmr}, ${genuine} pairs:`,
    ...(score === undefined ? [] : reliabilityLines('score / 100', score)),
    ...reliabilityLines('fitted on other people', fitted),
    ...Object.entries(fairness).flatMap(([name, of]) => fairnessLines(name, of)),
  ];
}

function reliabilityLines(name: string, { bins, ece, brier }: Reliability): string[] {
  const row = (title: string, cells: readonly string[]): string =>
    `    ${title.padEnd(10)}${cells.map((cell) => cell.padStart(6)).join('')}`;
  return [
    `  ${name}: ECE ${ece.toFixed(4)}, Brier ${brier.toFixed(4)}`,
    row(
      'predicted',
      bins.map(({ predicted }) => predicted.toFixed(2)),
    ),
    row(
      'accepted',
      bins.map(({ accepted }) => accepted.toFixed(2)),
    ),
  ];
}

function fairnessLines(name: string, { groups, p }: QualityFairness): string[] {
  const share = (value: number | null): string => (value === null ? '-' : inPercent(value));
  const range = ([low, high]: readonly [number, number]): string => ` (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
  const verdict =
    p === null
      ? 'one group only'
      : `p ${p.toFixed(3)}: ${p < 0.05 ? 'it does not' : 'no difference that these pairs can show'}`;
  return [
    `Does quality mean the same FNMR in every ${name}? ${verdict}`,
    ...groups.map(
      ({ group, fnmr, genuine, expected, ratio, ratioInterval }) =>
        `  ${group}: FNMR ${share(fnmr)} of ${genuine}, ${share(expected)} by its qualities, ratio ${ratio?.toFixed(2) ?? '-'}${ratioInterval === null ? '' : range(ratioInterval)}`,
    ),
  ];
}

/** `CENTRE,WIDTH` of a quality scale. */
export function scaleOf(text: string): Pick<Calibration, 'centre' | 'width'> {
  const [centre = Number.NaN, width = Number.NaN, ...rest] = text
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (Number.isFinite(centre) && width > 0 && rest.length === 0) return { centre, width };
  throw new InvalidArgumentError('Expected centre and width of a quality scale, such as 23,2.6.');
}
