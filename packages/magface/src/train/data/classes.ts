/** Checks the number of classes before they take memory: one stray label makes millions. */
import { totalmem } from 'node:os';
import { ConfigError } from '../../errors.ts';
import { peopleOf } from './dataset.ts';
import type { Dataset } from './samples.ts';

export interface ClassMemory {
  /** D. */
  readonly dimension: number;
  /** Processes that share the centers. */
  readonly ranks: number;
  /** Share of the centers sampled per step. */
  readonly sampleRate: number;
  /** As given; undefined if the labels decide. */
  readonly lastFcSize?: number | undefined;
}

/** Bytes of one process's centers, with their velocities and gradients. */
function centerBytes(classes: number, { dimension, ranks, sampleRate }: ClassMemory): number {
  return (4 * dimension * classes * (2 + sampleRate)) / ranks;
}

/**
 * Warns if most classes have no image.
 *
 * @throws {ConfigError} if the class centers do not fit into this machine's memory
 */
export function checkClasses(
  dataset: Dataset,
  options: ClassMemory,
  onNote: (line: string) => void,
  memory: number = availableMemory(),
): void {
  const { classes } = dataset;
  const bytes = centerBytes(classes, options);
  const [needed, has] = [bytes, memory].map(sizeOf);
  const people = peopleOf(dataset);
  const images = `the training set has images of ${people === 1 ? 'one person' : `${people} people`}`;
  const whence = options.lastFcSize === undefined ? `the greatest label is ${classes - 1}` : '--last-fc-size says so';
  if (bytes > memory) {
    const remedy =
      people < classes
        ? 'number people from 0 without gaps'
        : 'lower --embedding-size, or use several machines (--nproc)';
    throw new ConfigError('train-list', {
      expected: `class centers that fit into the memory of this machine (${has})`,
      problem: `${classes} classes of ${options.dimension} values need ${needed} (${whence}; ${images})`,
      remedy,
    });
  }
  if (options.lastFcSize !== undefined || classes <= 2 * people) return;
  onNote(
    `There are ${classes} classes, since ${whence}, but ${images}: the class centers take ${needed}. Number people from 0 without gaps, unless that is meant.`,
  );
}

/** Memory of the machine, or its container's limit. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** `24.0 GiB` */
function sizeOf(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length, Math.max(1, Math.floor(Math.log2(bytes) / 10)));
  return `${(bytes / 2 ** (10 * power)).toFixed(1)} ${units[power - 1]}`;
}
