/** What the server keeps and this page shows in lists: each number grows when an event says that the list is no longer what it was. */
import { signal } from '../vendor/signals-core.js';

export const changes = {
  pins: signal(0),
  bookmarks: signal(0),
  threads: signal(0),
  scheduled: signal(0),
  reminders: signal(0),
  preferences: signal(0),
  reactions: signal(0),
  /** Which channels I may look into, and with them everything that lists what is said there. */
  sight: signal(0),
};

/** @param {keyof typeof changes} list */
export function changed(list) {
  changes[list].value += 1;
}

/** The channel that I may no longer look into: what is open of it closes. Another object each time, since one can be lost twice. */
export const lostChannel = signal({ id: '' });

/** The draft that another device, or a sent message, has changed. */
export const draftNews = signal(/** @type {{channel_id:string, parent_id?:string|null}|null} */ (null));
