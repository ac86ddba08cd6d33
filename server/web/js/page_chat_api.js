/** The same about channels, messages and files: what is asked for by pages, panes, dialogs and composers alone. */
import { everyPage, formOf, id, request } from './api.js';
import { chat as first, TRANSFER_TIMEOUT_MS } from './chat_api.js';

/** @typedef {import('./chat_api.js').Query} Query @typedef {import('./chat_api.js').Transfer} Transfer */

export const chat = {
  ...first,

  channels: (/** @type {Query} */ query) => request('GET', 'channels', { query: { limit: 50, ...query } }),
  createChannel: (/** @type {object} */ body) => request('POST', 'channels', { body }),
  changeChannel: (/** @type {string} */ channelId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}`, { body }),
  deleteChannel: (/** @type {string} */ channelId) => request('DELETE', `channels/${id(channelId)}`),
  archive: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/archive`),
  setPrivacy: (/** @type {string} */ channelId, /** @type {object} */ body) => request('PUT', `channels/${id(channelId)}/privacy`, { body }),
  retention: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/retention`),
  setRetention: (/** @type {string} */ channelId, /** @type {number|null} */ days) => request('PUT', `channels/${id(channelId)}/retention`, { body: { days } }),
  channelAssistant: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/assistant`),
  setChannelAssistant: (/** @type {string} */ channelId, /** @type {boolean} */ isOff) => request('PUT', `channels/${id(channelId)}/assistant`, { body: { is_off: isOff } }),
  completeOption: (/** @type {string} */ channelId, /** @type {{command:string, option:string, typed:string}} */ query) => request('GET', `channels/${id(channelId)}/commands/complete`, { query }),
  direct: (/** @type {string[]} */ userIds) => request('POST', 'channels/direct', { body: { user_ids: userIds } }),

  joinByCode: (/** @type {string} */ code) => request('POST', 'channels/join', { body: { code } }),
  leave: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/leave`),
  addMember: (/** @type {string} */ channelId, /** @type {string} */ userId) => request('POST', `channels/${id(channelId)}/members`, { body: { user_id: userId } }),
  removeMember: (/** @type {string} */ channelId, /** @type {string} */ userId) => request('DELETE', `channels/${id(channelId)}/members/${id(userId)}`),
  setMemberRole: (/** @type {string} */ channelId, /** @type {string} */ userId, /** @type {string} */ role) => request('PUT', `channels/${id(channelId)}/roles/${id(userId)}`, { body: { role } }),
  channelInvitations: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/invitations`),
  inviteToChannel: (/** @type {string} */ channelId, /** @type {object} */ body) => request('POST', `channels/${id(channelId)}/invite`, { body }),
  revokeChannelInvitation: (/** @type {string} */ channelId, /** @type {string} */ invitationId) => request('DELETE', `channels/${id(channelId)}/invitations/${id(invitationId)}`),

  webhooks: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/webhooks`),
  makeWebhook: (/** @type {string} */ channelId, /** @type {object} */ body) => request('POST', `channels/${id(channelId)}/webhooks`, { body }),
  rotateWebhook: (/** @type {string} */ channelId, /** @type {string} */ webhookId) => request('POST', `channels/${id(channelId)}/webhooks/${id(webhookId)}/rotate`),
  deleteWebhook: (/** @type {string} */ channelId, /** @type {string} */ webhookId) => request('DELETE', `channels/${id(channelId)}/webhooks/${id(webhookId)}`),

  edit: (/** @type {string} */ messageId, /** @type {object} */ body) => request('PUT', `messages/${id(messageId)}`, { body }),
  remove: (/** @type {string} */ messageId) => request('DELETE', `messages/${id(messageId)}`),
  history: (/** @type {string} */ messageId) => request('GET', `messages/${id(messageId)}/history`),
  forward: (/** @type {string} */ messageId, /** @type {object} */ body) => request('POST', `messages/${id(messageId)}/forward`, { body }),

  pins: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/pins`, { query: { limit: 100 } }),

  scheduledMessages: () => everyPage('scheduled-messages'),
  schedule: (/** @type {object} */ body) => request('POST', 'scheduled-messages', { body }),
  reschedule: (/** @type {string} */ scheduledId, /** @type {object} */ body) => request('PUT', `scheduled-messages/${id(scheduledId)}`, { body }),
  sendScheduled: (/** @type {string} */ scheduledId) => request('POST', `scheduled-messages/${id(scheduledId)}/send`),
  withdrawScheduled: (/** @type {string} */ scheduledId) => request('DELETE', `scheduled-messages/${id(scheduledId)}`),
  reminders: () => everyPage('reminders'),
  remind: (/** @type {object} */ body) => request('POST', 'reminders', { body }),
  removeReminder: (/** @type {string} */ reminderId) => request('DELETE', `reminders/${id(reminderId)}`),

  reactors: (/** @type {string} */ messageId, /** @type {string} */ code, /** @type {string|null} */ cursor) => request('GET', `messages/${id(messageId)}/reactions/${id(code)}`, { query: { limit: 100, cursor } }),
  addReaction: (/** @type {string} */ code, /** @type {string} */ name, /** @type {File} */ image) => request('POST', 'reactions', { form: reactionForm(code, name, image), timeoutMs: 120_000 }),
  removeReaction: (/** @type {string} */ code) => request('DELETE', `reactions/${id(code)}`),

  file: (/** @type {string} */ fileId) => request('GET', `files/${id(fileId)}`),
  deleteFile: (/** @type {string} */ fileId) => request('DELETE', `files/${id(fileId)}`),
  upload: (/** @type {File} */ file, /** @type {Transfer} */ transfer) => request('POST', 'files/upload', { form: formOf(file), timeoutMs: TRANSFER_TIMEOUT_MS, ...transfer }),
  startUpload: (/** @type {object} */ body) => request('POST', 'files/uploads', { body }),
  uploadState: (/** @type {string} */ uploadId) => request('GET', `files/uploads/${id(uploadId)}`),
  sendPart: (/** @type {string} */ uploadId, /** @type {Blob} */ bytes, /** @type {Record<string,string>} */ headers, /** @type {Transfer} */ transfer) => request('PATCH', `files/uploads/${id(uploadId)}`, { bytes, headers, timeoutMs: TRANSFER_TIMEOUT_MS, ...transfer }),
  completeUpload: (/** @type {string} */ uploadId) => request('POST', `files/uploads/${id(uploadId)}/complete`, { timeoutMs: TRANSFER_TIMEOUT_MS }),
  cancelUpload: (/** @type {string} */ uploadId) => request('DELETE', `files/uploads/${id(uploadId)}`),

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
