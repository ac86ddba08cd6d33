/** The calls about channels and messages that the first page makes, by name; page_chat_api.js has the rest. */
import { everyPage, id, request } from './api.js';

/** Bytes take as long as the line needs. */
export const TRANSFER_TIMEOUT_MS = 600_000;

/** @typedef {Record<string, string|number|null|undefined>} Query */
/** @typedef {{signal?:AbortSignal, progress?:(sent:number)=>void}} Transfer */

export const chat = {
  myChannels: () => everyPage('channels/me'),
  channel: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}`),
  unarchive: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/unarchive`),
  setChannelPreferences: (/** @type {string} */ channelId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}/preferences`, { body }),
  join: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/join`),
  voiceRooms: () => everyPage('voice'),
  voiceRoom: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/voice`),
  members: (/** @type {string} */ channelId, /** @type {Query} */ query = {}) => request('GET', `channels/${id(channelId)}/members`, { query: { limit: 100, ...query } }),
  messages: (/** @type {string} */ channelId, /** @type {Query} */ query = {}) => request('GET', `channels/${id(channelId)}/messages`, { query: { limit: 50, ...query } }),
  post: (/** @type {string} */ channelId, /** @type {object} */ body) => request('POST', `channels/${id(channelId)}/messages`, { body }),
  message: (/** @type {string} */ messageId) => request('GET', `messages/${id(messageId)}`),
  markRead: (/** @type {string} */ channelId, /** @type {number} */ seq) => request('PUT', `channels/${id(channelId)}/read`, { body: { seq } }),
  markUnread: (/** @type {string} */ channelId, /** @type {number} */ seq) => request('PUT', `channels/${id(channelId)}/unread`, { body: { seq } }),
  markAllRead: () => request('POST', 'channels/read-all'),
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
  react: (/** @type {string} */ messageId, /** @type {string} */ code) => request('PUT', `messages/${id(messageId)}/reactions/${id(code)}`),
  unreact: (/** @type {string} */ messageId, /** @type {string} */ code) => request('DELETE', `messages/${id(messageId)}/reactions/${id(code)}`),
  reactions: () => everyPage('reactions'),
  fileContent: (/** @type {string} */ fileId, /** @type {AbortSignal} */ signal) => request('GET', `files/${id(fileId)}/download`, { file: true, signal, timeoutMs: TRANSFER_TIMEOUT_MS }),
  thumbnail: (/** @type {string} */ fileId) => request('GET', `files/${id(fileId)}/thumbnail`, { file: true }),
  notifications: (/** @type {Query} */ query) => request('GET', 'users/me/notifications', { query }),
  readNotifications: (/** @type {string[]|null} */ ids) => request('POST', 'users/me/notifications/read', { body: ids ? { ids } : {} }),
};
