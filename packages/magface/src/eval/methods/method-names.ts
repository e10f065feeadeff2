/** Names of the quality methods, and what each measures. Loads no runtime, so that help can print them at once. */
import { ConfigError } from '../../errors.ts';
import { type ComponentName, componentNames, componentUnits } from './components.ts';
import type { LandmarkComponentName } from './landmark-components.ts';
import { isVisibleComponent, type VisibleComponentName, visibleNames, visibleUnits } from './visible-components.ts';

/** The methods that run a network: the recogniser's, the detector's and those of 68 landmarks. */
export type NetworkMethod =
  | 'magnitude'
  | 'detector'
  | 'size'
  | 'pruning'
  | 'int8'
  | 'flip'
  | 'shift'
  | 'dropout'
  | LandmarkComponentName;

/** A built-in method's name. */
export type MethodName = NetworkMethod | ComponentName | VisibleComponentName;

function byLandmarks(what: string): string {
  return `${what}; a component of ISO/IEC 29794-5 by OFIQ’s formula, from 68 landmarks of another network: no conformance`;
}

/** What each measures: for reports, and in 60 characters for help. */
export const networkMethods: Readonly<Record<NetworkMethod, { readonly what: string; readonly short: string }>> = {
  magnitude: { what: "length of the recogniser's embedding", short: 'length of the embedding; always measured' },
  detector: { what: "the detector's confidence", short: 'the detector’s confidence' },
  size: { what: "shorter side of the face's box in the photo", short: 'shorter side of the face’s box' },
  pruning: {
    what: 'cosine with the embedding of the network without its smallest 40 % of weights',
    short: 'drift when 40 % of the weights are pruned',
  },
  int8: {
    what: 'cosine with the embedding of the network with weights of 8 bits',
    short: 'drift when weights are rounded to 8 bits',
  },
  flip: { what: 'cosine with the embedding of the mirror image', short: 'likeness to the mirror image' },
  shift: {
    what: 'mean cosine with crops that are moved by two pixels',
    short: 'likeness to crops moved by two pixels',
  },
  dropout: {
    what: "SER-FIQ's idea: closeness of 100 embeddings, each from half of the last layer's input",
    short: 'closeness of 100 embeddings by dropout, as SER-FIQ',
  },
  'eyes-open': {
    what: byLandmarks('opening of the narrower eye, relative to the height of the face'),
    short: 'opening of the narrower eye, by 68 landmarks',
  },
  'mouth-closed': {
    what: byLandmarks('opening of the mouth, relative to the height of the face, less is better'),
    short: 'how far the mouth is closed, by 68 landmarks',
  },
  'head-size': {
    what: byLandmarks('height from eyes to chin as a share of the photo’s height, best at 0.45'),
    short: 'height of the face in the photo, by 68 landmarks',
  },
  'upward-crop': {
    what: byLandmarks('room from the eyes down to the end of the photo, in heights from eyes to chin'),
    short: 'room below the eyes, by 68 landmarks',
  },
  'downward-crop': {
    what: byLandmarks('room from the eyes up to the end of the photo, in heights from eyes to chin'),
    short: 'room above the eyes, by 68 landmarks',
  },
};

export const methodNames: readonly MethodName[] = [
  ...(Object.keys(networkMethods) as NetworkMethod[]),
  ...componentNames,
  ...visibleNames,
];

export const isNetworkMethod = (name: string): name is NetworkMethod => Object.hasOwn(networkMethods, name);

export const isComponent = (name: string): name is ComponentName => componentNames.includes(name as ComponentName);

/** Prefix of the magnitude of another recogniser: `magnitude:MODEL`. */
export const otherModel = 'magnitude:';

/** @throws {ConfigError} for a name that `openMethod` does not know */
export function expectMethod(name: string): void {
  if (isNetworkMethod(name) || isComponent(name) || isVisibleComponent(name) || name.startsWith(otherModel)) return;
  throw new ConfigError('method', {
    expected: 'a quality method',
    received: name,
    remedy: `choose from ${methodNames.join(', ')}, or give magnitude:MODEL for the magnitude of another recogniser`,
  });
}

/** @param name - as `openMethod` takes it @returns what it measures, for reports */
export function describeMethod(name: string): string {
  if (isNetworkMethod(name)) return networkMethods[name].what;
  if (isComponent(name))
    return `${componentUnits[name]}, mapped to 0 to 100; a component of ISO/IEC 29794-5 by OFIQ's formula, from five landmarks and the crop: no conformance`;
  if (isVisibleComponent(name))
    return `${visibleUnits[name]}, mapped to 0 to 100; a component of ISO/IEC 29794-5 by a measure of this package: no conformance`;
  return 'magnitude of that recogniser';
}
