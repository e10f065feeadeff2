/** Calls the thread that groups faces. */
import type { GroupedPeople, LibraryFace, PeopleOptions } from 'magface/browser';

export interface GroupRequest {
  readonly id: number;
  readonly faces: readonly LibraryFace[];
  readonly options: PeopleOptions;
}

export type GroupReply =
  | { readonly id: number; readonly grouped: GroupedPeople }
  | { readonly id: number; readonly message: string };

let worker: Worker | undefined;
let lastId = 0;

/**
 * @returns the people; undefined if a later call has made this one's answer useless
 * @throws {Error} if the corrections contradict each other
 */
export function groupFaces(faces: readonly LibraryFace[], options: PeopleOptions): Promise<GroupedPeople | undefined> {
  worker ??= new Worker(new URL('./group-worker.ts', import.meta.url), { type: 'module' });
  const thread = worker;
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const take = ({ data }: MessageEvent<GroupReply>): void => {
      if (data.id !== id) return;
      thread.removeEventListener('message', take);
      if ('message' in data) reject(new Error(data.message));
      else resolve(id === lastId ? data.grouped : undefined);
    };
    thread.addEventListener('message', take);
    thread.postMessage({ id, faces, options } satisfies GroupRequest);
  });
}
