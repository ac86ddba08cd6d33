/** Every call about channels, messages, files and what they do to one's attention, by name. */
import { everyPage, formOf, id, request } from './api.js';

/** Bytes take as long as the line needs. */
const TRANSFER_TIMEOUT_MS = 600_000;

/** @typedef {Record<string, string|number|null|undefined>} Query */
/** @typedef {{signal?:AbortSignal, progress?:(sent:number)=>void}} Transfer */

export const chat = {
  channels: (/** @type {Query} */ query) => request('GET', 'channels', { query: { limit: 50, ...query } }),
  myChannels: () => everyPage('channels/me'),
  channel: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}`),
  createChannel: (/** @type {object} */ body) => request('POST', 'channels', { body }),
  changeChannel: (/** @type {string} */ channelId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}`, { body }),
  deleteChannel: (/** @type {string} */ channelId) => request('DELETE', `channels/${id(channelId)}`),
  archive: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/archive`),
  unarchive: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/unarchive`),
  setPrivacy: (/** @type {string} */ channelId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}/privacy`, { body }),
  retention: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/retention`),
  setRetention: (/** @type {string} */ channelId, /** @type {number|null} */ days) => request('PUT', `channels/${id(channelId)}/retention`, { body: { days } }),
  channelAssistant: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/assistant`),
  setChannelAssistant: (/** @type {string} */ channelId, /** @type {boolean} */ isOff) => request('PUT', `channels/${id(channelId)}/assistant`, { body: { is_off: isOff } }),
  setChannelPreferences: (/** @type {string} */ channelId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}/preferences`, { body }),
  direct: (/** @type {string[]} */ userIds) => request('POST', 'channels/direct', { body: { user_ids: userIds } }),

  join: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/join`),
  voiceRooms: () => everyPage('voice'),
  joinByCode: (/** @type {string} */ code) => request('POST', 'channels/join', { body: { code } }),
  leave: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/leave`),
  members: (/** @type {string} */ channelId, /** @type {Query} */ query = {}) => request('GET', `channels/${id(channelId)}/members`, { query: { limit: 100, ...query } }),
  addMember: (/** @type {string} */ channelId, /** @type {string} */ userId) => request('POST', `channels/${id(channelId)}/members`, { body: { user_id: userId } }),
  removeMember: (/** @type {string} */ channelId, /** @type {string} */ userId) => request('DELETE', `channels/${id(channelId)}/members/${id(userId)}`),
  setMemberRole: (/** @type {string} */ channelId, /** @type {string} */ userId, /** @type {string} */ role) => request('PUT', `channels/${id(channelId)}/roles/${id(userId)}`, { body: { role } }),
  channelInvitations: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/invitations`),
  inviteToChannel: (/** @type {string} */ channelId, /** @type {object} */ body) => request('POST', `channels/${id(channelId)}/invite`, { body }),
  revokeChannelInvitation: (/** @type {string} */ channelId, /** @type {string} */ invitationId) => request('DELETE', `channels/${id(channelId)}/invitations/${id(invitationId)}`),

  messages: (/** @type {string} */ channelId, /** @type {Query} */ query = {}) => request('GET', `channels/${id(channelId)}/messages`, { query: { limit: 50, ...query } }),
  post: (/** @type {string} */ channelId, /** @type {object} */ body) => request('POST', `channels/${id(channelId)}/messages`, { body }),
  message: (/** @type {string} */ messageId) => request('GET', `messages/${id(messageId)}`),
  edit: (/** @type {string} */ messageId, /** @type {object} */ body) => request('PUT', `messages/${id(messageId)}`, { body }),
  remove: (/** @type {string} */ messageId) => request('DELETE', `messages/${id(messageId)}`),
  history: (/** @type {string} */ messageId) => request('GET', `messages/${id(messageId)}/history`),
  forward: (/** @type {string} */ messageId, /** @type {object} */ body) => request('POST', `messages/${id(messageId)}/forward`, { body }),
  markRead: (/** @type {string} */ channelId, /** @type {number} */ seq) => request('PUT', `channels/${id(channelId)}/read`, { body: { seq } }),
  markUnread: (/** @type {string} */ channelId, /** @type {number} */ seq) => request('PUT', `channels/${id(channelId)}/unread`, { body: { seq } }),
  markAllRead: () => request('POST', 'channels/read-all'),

  pins: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/pins`, { query: { limit: 100 } }),
  pin: (/** @type {string} */ messageId) => request('PUT', `messages/${id(messageId)}/pin`),
  unpin: (/** @type {string} */ messageId) => request('DELETE', `messages/${id(messageId)}/pin`),
  bookmarks: (/** @type {Query} */ query) => request('GET', 'users/me/bookmarks', { query }),
  bookmark: (/** @type {string} */ messageId) => request('PUT', `messages/${id(messageId)}/bookmark`),
  removeBookmark: (/** @type {string} */ messageId) => request('DELETE', `messages/${id(messageId)}/bookmark`),

  thread: (/** @type {string} */ messageId, /** @type {Query} */ query = {}) => request('GET', `messages/${id(messageId)}/thread`, { query: { limit: 100, ...query } }),
  threads: (/** @type {Query} */ query) => request('GET', 'users/me/threads', { query }),
  followThread: (/** @type {string} */ messageId) => request('PUT', `messages/${id(messageId)}/follow`),
  unfollowThread: (/** @type {string} */ messageId) => request('DELETE', `messages/${id(messageId)}/follow`),
  markThreadRead: (/** @type {string} */ messageId, /** @type {number} */ seq) => request('PUT', `messages/${id(messageId)}/thread/read`, { body: { seq } }),

  drafts: () => everyPage('users/me/drafts'),
  draft: (/** @type {string} */ channelId, /** @type {string|undefined} */ parentId) => request('GET', `channels/${id(channelId)}/draft`, { query: { parent_id: parentId } }),
  saveDraft: (/** @type {string} */ channelId, /** @type {string|undefined} */ parentId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}/draft`, { query: { parent_id: parentId }, body, keepalive: true }),
  removeDraft: (/** @type {string} */ channelId, /** @type {string|undefined} */ parentId) => request('DELETE', `channels/${id(channelId)}/draft`, { query: { parent_id: parentId }, keepalive: true }),
  scheduledMessages: () => everyPage('scheduled-messages'),
  schedule: (/** @type {object} */ body) => request('POST', 'scheduled-messages', { body }),
  reschedule: (/** @type {string} */ scheduledId, /** @type {object} */ body) => request('PUT', `scheduled-messages/${id(scheduledId)}`, { body }),
  sendScheduled: (/** @type {string} */ scheduledId) => request('POST', `scheduled-messages/${id(scheduledId)}/send`),
  withdrawScheduled: (/** @type {string} */ scheduledId) => request('DELETE', `scheduled-messages/${id(scheduledId)}`),
  reminders: () => everyPage('reminders'),
  remind: (/** @type {object} */ body) => request('POST', 'reminders', { body }),
  removeReminder: (/** @type {string} */ reminderId) => request('DELETE', `reminders/${id(reminderId)}`),

  react: (/** @type {string} */ messageId, /** @type {string} */ code) => request('PUT', `messages/${id(messageId)}/reactions/${id(code)}`),
  unreact: (/** @type {string} */ messageId, /** @type {string} */ code) => request('DELETE', `messages/${id(messageId)}/reactions/${id(code)}`),
  reactors: (/** @type {string} */ messageId, /** @type {string} */ code, /** @type {string|null} */ cursor) => request('GET', `messages/${id(messageId)}/reactions/${id(code)}`, { query: { limit: 100, cursor } }),
  reactions: () => everyPage('reactions'),
  addReaction: (/** @type {string} */ code, /** @type {string} */ name, /** @type {File} */ image) => request('POST', 'reactions', { form: reactionForm(code, name, image), timeoutMs: 120_000 }),
  removeReaction: (/** @type {string} */ code) => request('DELETE', `reactions/${id(code)}`),

  file: (/** @type {string} */ fileId) => request('GET', `files/${id(fileId)}`),
  fileContent: (/** @type {string} */ fileId, /** @type {AbortSignal} */ signal) => request('GET', `files/${id(fileId)}/download`, { file: true, signal, timeoutMs: TRANSFER_TIMEOUT_MS }),
  thumbnail: (/** @type {string} */ fileId) => request('GET', `files/${id(fileId)}/thumbnail`, { file: true }),
  deleteFile: (/** @type {string} */ fileId) => request('DELETE', `files/${id(fileId)}`),
  upload: (/** @type {File} */ file, /** @type {Transfer} */ transfer) => request('POST', 'files/upload', { form: formOf(file), timeoutMs: TRANSFER_TIMEOUT_MS, ...transfer }),
  startUpload: (/** @type {object} */ body) => request('POST', 'files/uploads', { body }),
  uploadState: (/** @type {string} */ uploadId) => request('GET', `files/uploads/${id(uploadId)}`),
  sendPart: (/** @type {string} */ uploadId, /** @type {Blob} */ bytes, /** @type {Record<string,string>} */ headers, /** @type {Transfer} */ transfer) => request('PATCH', `files/uploads/${id(uploadId)}`, { bytes, headers, timeoutMs: TRANSFER_TIMEOUT_MS, ...transfer }),
  completeUpload: (/** @type {string} */ uploadId) => request('POST', `files/uploads/${id(uploadId)}/complete`, { timeoutMs: TRANSFER_TIMEOUT_MS }),
  cancelUpload: (/** @type {string} */ uploadId) => request('DELETE', `files/uploads/${id(uploadId)}`),

  notifications: (/** @type {Query} */ query) => request('GET', 'users/me/notifications', { query }),
  readNotifications: (/** @type {string[]|null} */ ids) => request('POST', 'users/me/notifications/read', { body: ids ? { ids } : {} }),
  preferences: () => request('GET', 'users/me/preferences'),
  setPreferences: (/** @type {object} */ body) => request('PUT', 'users/me/preferences', { body }),
  pushKey: () => request('GET', 'push/key'),
  pushSubscriptions: () => request('GET', 'push/subscriptions'),
  subscribePush: (/** @type {object} */ body) => request('POST', 'push/subscriptions', { body }),
  unsubscribePush: (/** @type {string} */ subscriptionId) => request('DELETE', `push/subscriptions/${id(subscriptionId)}`),
};

/** @param {string} code @param {string} name @param {File} image */
function reactionForm(code, name, image) {
  const form = formOf(image, 'image');
  form.append('code', code);
  form.append('name', name);
  return form;
}
