/** Groups faces on its own thread, because thousands of faces take seconds. */
import { groupPeople } from 'magface/browser';
import type { GroupReply, GroupRequest } from './group-faces.ts';

addEventListener('message', ({ data: { id, faces, options } }: MessageEvent<GroupRequest>) => {
  let reply: GroupReply;
  try {
    reply = { id, grouped: groupPeople(faces, options) };
  } catch (error) {
    reply = { id, message: error instanceof Error ? error.message : String(error) };
  }
  postMessage(reply);
});
