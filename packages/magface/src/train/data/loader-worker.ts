/** The other side of decode-pool.ts: decodes images into the shared slot of their batch, in a thread of its own. */
import { answerCalls } from '../../machine/thread.ts';
import { type DecodeFailure, type DecodeRequest, SampleDecoder } from './decode-sample.ts';

const decoder = new SampleDecoder();

answerCalls<DecodeRequest, readonly DecodeFailure[]>(async (request, { signal }) => ({
  answer: await decoder.decode(request, signal),
}));
