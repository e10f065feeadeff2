/** Every network by its name. */
import { ConfigError } from '../errors.ts';
import { type IResNetName, iresnet, iresnetNames } from './iresnet.ts';
import type { Architecture } from './layers.ts';
import { mobilefacenet, mobilefacenetRelu6 } from './mobilefacenet.ts';

/** What {@link architecture} knows. */
export const architectureNames: readonly string[] = [...iresnetNames, 'mobilefacenet', 'mobilefacenet-relu6'];

/**
 * @param name - `iresnet18`, `iresnet34`, `iresnet50`, `iresnet100`, `mobilefacenet` or `mobilefacenet-relu6` (`--arch`)
 * @param embeddingLength - D (`--embedding-size`) @default 512
 */
export function architecture(name: string, embeddingLength = 512): Architecture {
  if ((iresnetNames as readonly string[]).includes(name)) return iresnet(name as IResNetName, embeddingLength);
  if (name === 'mobilefacenet') return mobilefacenet(embeddingLength);
  if (name === 'mobilefacenet-relu6') return mobilefacenetRelu6(embeddingLength);
  throw new ConfigError('arch', `Expected arch to be one of ${architectureNames.join(', ')} but received ${name}.`);
}
