/**
 * The layout of SCface (Surveillance Cameras Face Database), as published:
 *
 *     mugshot_frontal_cropped_all/NNN_frontal.JPG              one photo of each of 130 people (or ..._original_all)
 *     surveillance_cameras_distance_D/cam_C/NNN_camC_D.jpg     camera C at distance D: 1 is 4.20 m, 2 is 2.60 m, 3 is 1.00 m
 *
 * Every surveillance image in visible light (cameras 1 to 5) is compared with every mugshot: its person's is the genuine
 * pair. That is the authors' day-time test as verification. Folds hold equally many people. Columns: `distance`, `camera`.
 *
 * @see Grgic, Delac and Grgic, "SCface – surveillance cameras face database", Multimedia Tools and Applications 51, 2011
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import type { Layout } from './layout.ts';

const mugshotFolders = ['mugshot_frontal_cropped_all', 'mugshot_frontal_original_all'] as const;
const metres: Readonly<Record<string, string>> = { '1': '4.20 m', '2': '2.60 m', '3': '1.00 m' };

interface Probe {
  readonly path: string;
  readonly person: string;
  readonly camera: string;
  readonly distance: string;
}

/** @returns undefined if the folder is not SCface's */
export async function scfaceLayout(folder: string): Promise<Layout | undefined> {
  const mugshots = mugshotFolders.find((name) => existsSync(join(folder, name)));
  if (mugshots === undefined || !existsSync(join(folder, 'surveillance_cameras_distance_1'))) return undefined;
  const gallery = (await namesIn(folder, mugshots)).flatMap((name) => {
    const person = /^(\d{3})_frontal\.jpe?g$/i.exec(name)?.[1];
    return person === undefined ? [] : [{ path: `${mugshots}/${name}`, person }];
  });
  const probes = await probesIn(folder);
  const enrolled = new Set(gallery.map(({ person }) => person));
  const unknown = probes.find(({ person }) => !enrolled.has(person));
  if (probes.length === 0 || unknown !== undefined) {
    const came = unknown === undefined ? 'there is no surveillance image' : `${unknown.path} has none`;
    throw new ConfigError('set', {
      expected: `a mugshot in ${join(folder, mugshots)} for every image of surveillance_cameras_distance_1 to _3`,
      problem: came,
      remedy: 'unpack the whole set',
    });
  }
  const pairs = probes.flatMap((probe) => gallery.map((mugshot) => ({ mugshot, probe })));
  return {
    name: 'SCface',
    list: {
      left: pairs.map(({ mugshot }) => mugshot.path),
      right: pairs.map(({ probe }) => probe.path),
      same: Uint8Array.from(pairs, ({ mugshot, probe }) => (mugshot.person === probe.person ? 1 : 0)),
      columns: {
        distance: pairs.map(({ probe }) => metres[probe.distance]!),
        camera: pairs.map(({ probe }) => probe.camera),
      },
    },
    notes: ['Every surveillance image in visible light is compared with every mugshot.'],
  };
}

/** In the order of people, so that contiguous folds hold different people. */
async function probesIn(folder: string): Promise<Probe[]> {
  const probes: Probe[] = [];
  for (const distance of Object.keys(metres))
    for (const camera of ['1', '2', '3', '4', '5']) {
      const place = `surveillance_cameras_distance_${distance}/cam_${camera}`;
      for (const name of await namesIn(folder, place)) {
        const [, person, cam, at] = /^(\d{3})_cam(\d)_(\d)\.jpe?g$/i.exec(name) ?? [];
        if (person !== undefined && cam === camera && at === distance)
          probes.push({ path: `${place}/${name}`, person, camera, distance });
      }
    }
  return probes.sort((a, b) => a.person.localeCompare(b.person));
}

const namesIn = async (folder: string, name: string): Promise<string[]> =>
  (await readdir(join(folder, name)).catch(() => [])).sort();
