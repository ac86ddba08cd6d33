/** What the composer offers while one types "/", "@", "#" or ":". */
import { loadEveryEmoji } from '../emoji.js';
import { emojiFor } from '../emoji_words.js';
import { cleanName } from '../format.js';
import { personName } from '../names.js';
import { takesTheRest, typedOption, writtenValue } from '../command_options.js';
import { suggested } from '../command_suggestions.js';
import { commands, customReactions, isConversation, me, members, myChannels } from '../store.js';
import { t } from '../channel_words.js';
import { Avatar } from './avatar.js';
import { html } from './html.js';
import { Face } from './reactions.js';
import { ChannelIcon } from './channel_name.js';

const MAX_OPTIONS = 8;

/**
 * @typedef {{insert:string, command?:any, user?:any, everyone?:string, channel?:any, emoji?:import('../emoji_words.js').Suggestion, value?:string, about?:string}} Option
 * @typedef {{caption:any, from:number, to:number, typed:string, options:Option[], index:number, hint?:string, waits?:Promise<unknown>}} CompletionState
 *   from and to: the part of the text that a choice replaces; index: -1 while none is chosen; hint: what may stand there, where nothing can be chosen; waits: more comes with it
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
  const written = inThread ? null : /^\/([\p{L}\p{N}_-]+)\s(.*)$/su.exec(before);
  const known = written && commands.value.find(({ name }) => name.replace(/^\//, '') === written[1].toLowerCase());
  if (known?.options?.length) {
    const found = valueFor(known, written[2], channelId, caret);
    if (found) return found;
  }
  const word = /(?:^|[\s(])([@#:])([\p{L}\p{N}._+-]{0,32})$/u.exec(before);
  if (!word) return null;
  const [, mark, wanted] = word;
  const place = { from: caret - wanted.length - 1, to: caret, typed: mark + wanted, index: 0 };
  const found = mark === '@' ? peopleFor(channelId, wanted.toLowerCase()) : mark === '#' ? channelsFor(wanted.toLowerCase()) : wanted.length >= 2 ? emojisFor(wanted) : null;
  return found?.options.length ? { ...found, ...place } : null;
}

/** What an option of a command is, where its values cannot be listed. @type {Record<string, (option:any) => string>} */
const KINDS = {
  text: () => t('a_text'),
  integer: (option) => withinText(t('a_whole_number'), option),
  number: (option) => withinText(t('a_number'), option),
  toggle: () => t('yes_or_no'),
  choice: () => t('one_of_these'),
  user: () => t('somebody_here'),
  channel: () => t('a_channel_by_name'),
};

/** @param {string} what @param {{min?:number|null, max?:number|null}} option */
function withinText(what, { min, max }) {
  const low = min ?? null;
  const high = max ?? null;
  if (low !== null && high !== null) return t('from_to', { what, min: low, max: high });
  if (low !== null) return t('at_least', { what, min: low });
  return high !== null ? t('at_most', { what, max: high }) : what;
}

/** The values of the option that is being typed. @param {any} command @param {string} rest behind its name @param {string} channelId @param {number} caret @returns {CompletionState|null} */
function valueFor(command, rest, channelId, caret) {
  const typed = typedOption(command.options, rest);
  if (!typed) return null;
  const { option } = typed;
  // In a text that goes to the end of the line people and channels are named as everywhere.
  if (takesTheRest(command.options, option) && /(?:^|\s)[@#:][^\s]*$/.test(typed.typed)) return null;
  const from = caret - rest.length + typed.from;
  const wanted = typed.typed.toLowerCase();
  const listed = valuesOf(command, option, wanted, channelId);
  const name = command.name.replace(/^\//, '');
  return { caption: t('option_of_command', { command: `/${name}`, option: option.name, about: option.description ?? '' }), from, to: caret, typed: typed.typed, index: listed.options.length && (wanted || option.required) ? 0 : -1, hint: KINDS[option.type]?.(option) ?? '', ...listed };
}

/** @param {any} command @param {import('../command_options.js').CommandOption} option @param {string} wanted in small letters @param {string} channelId @returns {{options:Option[], waits?:Promise<unknown>}} */
function valuesOf(command, option, wanted, channelId) {
  const plain = (/** @type {string[]} */ values) => values.filter((value) => value.toLowerCase().startsWith(wanted)).slice(0, MAX_OPTIONS).map((value) => ({ insert: `${writtenValue(value)} `, value }));
  if (option.type === 'choice') return { options: plain(option.choices ?? []) };
  if (option.type === 'toggle') return { options: plain(['yes', 'no']) };
  if (option.type === 'user') return { options: peopleFor(channelId, wanted.replace(/^@/, '')).options.filter(({ user }) => user) };
  if (option.type === 'channel') return { options: channelsFor(wanted.replace(/^#/, '')).options };
  if (!option.complete) return { options: [] };
  const { values, waits } = suggested(channelId, command.name, option.name, wanted);
  return { options: values.slice(0, MAX_OPTIONS).map(({ value, label }) => ({ insert: `${writtenValue(value)} `, value: label || value, about: label && label !== value ? value : '' })), waits };
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
  if (!completion.options.length) return html`<div class="pop" role="status"><p class="cap">${completion.caption}</p><p class="opt-hint">${completion.hint}</p></div>`;
  return html`<div class="pop"><p class="cap">${completion.caption}</p><div role="listbox" id=${id} aria-label=${completion.caption}>
    ${completion.options.map((option, index) => html`<div key=${option.insert} id=${`${id}-${index}`} class="opt" role="option" aria-selected=${index === completion.index}
        onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); choose(option); }}>
      <${Drawn} option=${option} />
    </div>`)}</div></div>`;
}

/** @param {{option:Option}} props */
function Drawn({ option: { command, user, everyone, channel, emoji, insert, value, about } }) {
  if (value !== undefined) return html`<b><bdi>${cleanName(value)}</bdi></b>${about && html`<span class="m"><bdi>${cleanName(about)}</bdi></span>`}`;
  if (command) return html`<span class="cmd">/${command.name}</span><span class="m">${usage(command)}</span><span class="end">${command.plugin_id ? t('plugin_named', { name: command.plugin_id.split('.').at(-1) }) : t('built_in')}</span>`;
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
