/** Charts as SVG text, drawn without a browser. Their colours follow the page: text is `currentColor`, no background. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** @returns the chart as SVG */
export function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ ...options, document: document as unknown as NonNullable<Plot.PlotOptions['document']> });
  return String(svg.outerHTML);
}
