import type { ConfigOf } from '../../settings/setting.ts';
import type { EmbedSetFlags } from '../evaluate/embed.ts';
import type { foldSettings, RejectFlags } from '../evaluate/options.ts';

/** Settings of `magface lab` alone. */
export const labSettings = {
  set: {
    group: 'Data:',
    takes: 'texts',
    value: '<set...>',
    says: 'a .bin of InsightFace or the folder of a set; may be repeated',
  },
  pairs: { group: 'Data:', takes: 'text', value: '<file>', says: 'list of pairs, for a single set' },
  images: { group: 'Data:', takes: 'text', value: '<dir>', says: 'folder of the images, for a single set' },
  protocol: {
    group: 'Data:',
    takes: 'choice',
    choices: ['fp', 'ff'],
    value: '<p>',
    says: 'protocol of CFP',
    otherwise: 'fp',
  },
  models: {
    group: 'Methods:',
    takes: 'texts',
    value: '<model...>',
    says: 'recognisers',
    otherwise: 'magface-small',
  },
  methods: {
    group: 'Methods:',
    takes: 'texts',
    value: '<method...>',
    says: 'quality methods beside magnitude',
    otherwise: 'all',
  },
  scores: {
    group: 'Methods:',
    takes: 'texts',
    value: '<file...>',
    says: 'files with scores of other methods: see below',
  },
  flip: {
    group: 'Protocol:',
    takes: 'boolean',
    value: '',
    says: 'compare faces by features with the mirrored face added (flip-sum)',
  },
  report: { group: 'Output:', takes: 'text', value: '<file.html>', says: 'page to write', default: 'lab.html' },
} as const;

/** Flags of `magface lab`. */
export type LabFlags = Omit<EmbedSetFlags, 'model'> &
  RejectFlags &
  ConfigOf<typeof labSettings> &
  ConfigOf<typeof foldSettings>;
