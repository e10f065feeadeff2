/** The other side of pair-scores.ts. */
import { answerCalls } from '../machine/thread.ts';
import { dotRange, type PairRange } from './pair-scores.ts';

answerCalls<PairRange, undefined>(async (range) => ({ answer: dotRange(range) as undefined }));
