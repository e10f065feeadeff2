/** The curves of the robustness report as SVG text, in the page's own colours. */
import * as Plot from '@observablehq/plot';
import type { DamageReport } from '../eval/robustness.ts';
import { draw } from './draw.ts';

/** Distinct for any colour vision (Okabe and Ito), on white and on black. */
export const lineColours = { magnitude: '#d55e00', similarity: '#0072b2' } as const;

/** Median and quartiles of magnitude, relative to clean faces, and of the cosine to the clean face. */
export function damageChart({ kind, steps }: DamageReport): string {
  const clean = steps[0]!.magnitude.p50;
  const lines = (['magnitude', 'similarity'] as const).flatMap((of) => {
    const scale = of === 'magnitude' ? clean : 1;
    const points = steps.map((step) => ({
      strength: step.strength,
      low: step[of].p25 / scale,
      middle: step[of].p50 / scale,
      high: step[of].p75 / scale,
    }));
    const colour = lineColours[of];
    return [
      Plot.areaY(points, { x: 'strength', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.16 }),
      Plot.lineY(points, { x: 'strength', y: 'middle', stroke: colour, strokeWidth: 2 }),
      Plot.dot(points, { x: 'strength', y: 'middle', fill: colour, r: 2.5 }),
    ];
  });
  return draw({
    width: 360,
    height: 230,
    marginLeft: 40,
    marginBottom: 40,
    ariaLabel: `${kind}: magnitude and similarity by strength of damage`,
    style: { background: 'none', fontSize: '12px' },
    x: { label: 'Strength of damage', ticks: 5 },
    y: {
      domain: [Math.min(0, ...steps.map(({ similarity }) => similarity.p25)), 1.1],
      grid: true,
      ticks: 5,
      label: null,
    },
    marks: [Plot.ruleY([0], { strokeOpacity: 0.4 }), ...lines],
  });
}
