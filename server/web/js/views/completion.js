/** What the composer offers while one types "/", "@", "#" or ":". */
import { loadEveryEmoji } from '../emoji.js';
import { emojiFor } from '../emoji_words.js';
import { cleanName } from '../format.js';
import { personName } from '../names.js';
import { commands, customReactions, isConversation, me, members, myChannels } from '../store.js';
import { t } from '../channel_words.js';
import { Avatar } from './avatar.js';
import { html } from './html.js';
import { Face } from './reactions.js';
import { ChannelIcon } from './channel_name.js';

const MAX_OPTIONS = 8;

/**
 * @typedef {{insert:string, command?:any, user?:any, everyone?:string, channel?:any, emoji?:import('../emoji_words.js').Suggestion}} Option
 * @typedef {{caption:string, from:number, to:number, typed:string, options:Option[], index:number}} CompletionState
 *   from and to: the part of the text that a choice replaces
 */

/**
 * @param {string} text @param {number} caret @param {string} channelId @param {boolean} inThread commands run in channels only
 * @returns {CompletionState|null}
 */
export function completionFor(text, caret, channelId, inThread) {
  const before = text.slice(0, caret);
  const command = inThread ? null : /^\/([\p{L}\p{N}_-]*)$/u.exec(before);
  if (command) {
    const options = commands.value.map((known) => ({ ...known, name: known.name.replace(/^\//, '') })).filter(({ name }) => name.startsWith(command[1].toLowerCase()))
      .slice(0, MAX_OPTIONS).map((known) => ({ insert: `/${known.name} `, command: known }));
    return options.length ? { caption: command[1] ? t('commands_matching', { command: command[1] }) : t('commands'), from: 0, to: caret, typed: before, options, index: 0 } : null;
  }
  const word = /(?:^|[\s(])([@#:])([\p{L}\p{N}._+-]{0,32})$/u.exec(before);
  if (!word) return null;
  const [, mark, wanted] = word;
  const place = { from: caret - wanted.length - 1, to: caret, typed: mark + wanted, index: 0 };
  const found = mark === '@' ? peopleFor(channelId, wanted.toLowerCase()) : mark === '#' ? channelsFor(wanted.toLowerCase()) : wanted.length >= 2 ? emojisFor(wanted) : null;
  return found?.options.length ? { ...found, ...place } : null;
}

/** Words that mean more than one person, with what they mean. */
const EVERYONE = /** @type {[string, string][]} */ ([['channel', t('everyone_in_this_channel')], ['here', t('everyone_who_is_online')]]);

/** @param {string} channelId @param {string} wanted */
function peopleFor(channelId, wanted) {
  const people = (members.value.get(channelId) ?? []).map((member) => member.user).filter((user) => user.id !== me.value?.id && matches(user, wanted)).slice(0, MAX_OPTIONS);
  const all = EVERYONE.filter(([name]) => wanted && name.startsWith(wanted)).map(([name, meaning]) => ({ insert: `@${name} `, everyone: meaning }));
  /** @type {Option[]} */
  const options = [...people.map((user) => ({ insert: `@${user.username} `, user })), ...all];
  return { caption: t('people_in_this_channel'), options };
}

/** Channels that everyone may open: the others are nobody's business. @param {string} wanted */
function channelsFor(wanted) {
  const found = myChannels.value.filter((channel) => !isConversation(channel) && channel.kind !== 'private' && channel.name.toLowerCase().startsWith(wanted)).slice(0, MAX_OPTIONS);
  return { caption: t('channels'), options: found.map((channel) => ({ insert: `#${channel.name} `, channel })) };
}

/** @param {string} wanted */
function emojisFor(wanted) {
  void loadEveryEmoji(); // there for the next letter
  return { caption: t('emoji'), options: emojiFor(wanted, customReactions.value, MAX_OPTIONS).map((emoji) => ({ insert: `${emoji.insert} `, emoji })) };
}

/** @param {any} user @param {string} wanted */
function matches(user, wanted) {
  return [user.username, ...(user.full_name ?? '').split(/\s+/)].some((word) => word.toLowerCase().startsWith(wanted));
}

/** @param {{id:string, completion:CompletionState|null, choose:(option:Option)=>void}} props */
export function Completion({ id, completion, choose }) {
  if (!completion) return null;
  return html`<div class="pop"><p class="cap">${completion.caption}</p><div role="listbox" id=${id} aria-label=${completion.caption}>
    ${completion.options.map((option, index) => html`<div key=${option.insert} id=${`${id}-${index}`} class="opt" role="option" aria-selected=${index === completion.index}
        onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); choose(option); }}>
      <${Drawn} option=${option} />
    </div>`)}</div></div>`;
}

/** @param {{option:Option}} props */
function Drawn({ option: { command, user, everyone, channel, emoji, insert } }) {
  if (command) return html`<span class="cmd">/${command.name}</span><span class="m">${usage(command)}</span><span class="end">${command.plugin_id ? 'plugin' : t('built_in')}</span>`;
  if (user) return html`<${Avatar} user=${user} size="sm" presence /><b><bdi>${cleanName(personName(user))}</bdi></b><span class="m">@${user.username}</span>`;
  if (channel) return html`<${ChannelIcon} channel=${channel} /><b><bdi>${cleanName(channel.name)}</bdi></b><span class="m">${channel.topic ?? ''}</span>`;
  if (emoji) return html`<span class="e">${emoji.custom ? html`<${Face} code=${emoji.code} />` : emoji.insert}</span><b>:${emoji.code}:</b><span class="m">${emoji.name}</span>`;
  return html`<b>${insert.trim()}</b><span class="m">${everyone}</span>`;
}

/** @param {any} command */
function usage(command) {
  const options = (command.options ?? []).map((/** @type {any} */ option) => (option.required ? `<${option.name}>` : `[${option.name}]`)).join(' ');
  return [options, command.description].filter(Boolean).join(': ');
}
