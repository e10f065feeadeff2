/** The decision threshold of a request. */
import { type DecisionThreshold, thresholdAt } from '../decision.ts';
import { ConfigError, ServiceError } from '../errors.ts';
import type { InferenceQueue } from './inference-queue.ts';

/**
 * @param fmr - the largest false match rate that the client accepts
 * @returns undefined if the model has no threshold
 * @throws {ServiceError} `wrong_request` if the model has no threshold for so strict a rate
 */
export function thresholdOf({ models }: Pick<InferenceQueue, 'models'>, fmr: number): DecisionThreshold | undefined {
  try {
    return thresholdAt(models.recogniser.contract.thresholds, fmr);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ServiceError('wrong_request', cause, { cause });
  }
}
