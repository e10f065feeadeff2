/** Opens a head by name. */
import type { MagFaceOptions } from '../magface-loss.ts';
import { adacos } from './adacos.ts';
import { adaface } from './adaface.ts';
import { adamSoftmax } from './adam-softmax.ts';
import { circleloss } from './circleloss.ts';
import { elasticfaceArc, elasticfaceCos } from './elasticface.ts';
import { arcface, cosface } from './fixed-margin.ts';
import { curricularface, mvSoftmaxAm, mvSoftmaxArc, npcface } from './hard-negatives.ts';
import type { HeadFunction } from './head-function.ts';
import { type ConstantsOf, constantsOf, type LossName, type NamedLoss } from './loss-table.ts';
import { magface } from './magface.ts';
import { uniface } from './uniface.ts';

const makers: { readonly [Name in LossName]: (constants: ConstantsOf<Name>, classes: number) => HeadFunction } = {
  arcface,
  cosface,
  adaface,
  'elasticface-arc': elasticfaceArc,
  'elasticface-cos': elasticfaceCos,
  curricularface,
  'am-softmax': cosface,
  'adam-softmax': adamSoftmax,
  adacos: (_, classes) => adacos(classes),
  'mv-softmax-am': mvSoftmaxAm,
  'mv-softmax-arc': mvSoftmaxArc,
  circleloss,
  npcface,
  uniface,
};

/** The loss of a training: MagFace with its constants, another by its name, or a function of your own. */
export type LossOptions = MagFaceOptions | NamedLoss | HeadFunction;

/** @param classes - K @throws {ConfigError} for a constant that the loss does not have */
export function openHead(loss: LossOptions, classes: number): HeadFunction {
  if ('terms' in loss) return loss;
  if (!('name' in loss)) return magface(loss);
  const make = makers[loss.name] as (constants: Readonly<Record<string, number>>, classes: number) => HeadFunction;
  return make(constantsOf(loss), classes);
}
