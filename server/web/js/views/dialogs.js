/** The dialogs of the workspace. */
import { api } from '../api.js';
import { cleanName } from '../format.js';
import { dialog } from '../layout.js';
import { may } from '../permissions.js';
import { channelPath, navigate, route } from '../router.js';
import { channels, dropChannel, isConversation, me, members, putChannel } from '../store.js';
import { attempt, channelTitle, join, loadMembers, notify, personName } from '../workspace.js';
import { NewInvitation } from './admin/invitations.js';
import { Avatar, PersonName, PresenceWord } from './avatar.js';
import { Dialog } from './dialog.js';
import { Check, Field, FormError } from './field.js';
import { html, useEffect, useState } from './html.js';
import { Icon } from './icon.js';
import { Picker } from './reactions.js';
import { StatusDialog } from './status_dialog.js';
import { openDirect, Switcher } from './switcher.js';

const DIALOGS = { switcher: Switcher, create: CreateChannel, browse: BrowseChannels, direct: NewDirect, invite: Invite, details: Details, keys: Keys, status: StatusDialog };

/** @param {{name:keyof typeof DIALOGS | ''}} props */
export function Dialogs({ name }) {
  const Open = name ? DIALOGS[name] : null;
  return html`${Open && html`<${Open} key=${name} />`}<${Picker} />`;
}

function close() {
  dialog.value = '';
}

function CreateChannel() {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [isPrivate, setPrivate] = useState(!may(me.value, 'channels.create'));
  const [error, setError] = useState(/** @type {any} */ (null));
  const create = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const body = { name: name.trim(), kind: isPrivate ? 'private' : 'public', ...(description.trim() ? { description: description.trim() } : {}) };
      const channel = await api.createChannel(body);
      putChannel({ role: 'owner', read_seq: 0, unread_count: 0, mention_count: 0, ...channel });
      close();
      navigate(channelPath(channel.id));
    } catch (failure) {
      setError(failure);
    }
  };
  return html`<${Dialog} title="Create a channel"><form class="dialog-b" onSubmit=${create}>
    <${FormError} error=${error?.message ?? ''} />
    <${Field} id="channel-name" label="Name" value=${name} onInput=${(/** @type {string} */ value) => setName(value.toLowerCase().replace(/\s/g, '-'))} error=${error?.fields?.name} required maxlength="80" autofocus autocomplete="off" help="Short and plain, such as “release-planning”." />
    <${Field} id="channel-description" label="What it is about (optional)" value=${description} onInput=${setDescription} error=${error?.fields?.description} maxlength="250" autocomplete="off" />
    ${may(me.value, 'channels.create') && may(me.value, 'channels.create_private') && html`<${Check} checked=${isPrivate} onChange=${setPrivate}>Private: only people who are added can see it</${Check}>`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>Cancel</button><button class="btn primary">Create channel</button></div>
  </form></${Dialog}>`;
}

function BrowseChannels() {
  const [list, setList] = useState(/** @type {any[]|null} */ (null));
  const [text, setText] = useState('');
  useEffect(() => void attempt(api.channels()).then((found) => setList(found?.items ?? [])), []);
  const shown = (list ?? []).filter((channel) => !isConversation(channel) && !channel.archived_at && channel.name.toLowerCase().includes(text.toLowerCase()));
  const open = (/** @type {any} */ channel) => { close(); navigate(channelPath(channel.id)); };
  return html`<${Dialog} title="Browse channels"><div class="dialog-b">
    <${Field} id="browse-filter" label="Find a channel" type="search" value=${text} onInput=${setText} autofocus autocomplete="off" />
    <ul class="pick">${list === null ? html`<li class="loading">Loading…</li>` : shown.map((channel) => {
      const mine = channels.value.get(channel.id)?.role;
      return html`<li key=${channel.id}><button class="pick-t" onClick=${() => open(channel)}><b><${Icon} name=${channel.kind === 'private' ? 'lock' : 'hash'} small /> <bdi>${cleanName(channel.name)}</bdi></b>
        <small>${channel.member_count} ${channel.member_count === 1 ? 'member' : 'members'}${channel.description ? ` · ${cleanName(channel.description)}` : ''}</small></button>
        ${mine ? html`<span class="pill ok">Joined</span>` : html`<button class="btn" onClick=${() => { close(); void join(channel.id); }}>Join</button>`}</li>`;
    })}</ul>
    ${list !== null && !shown.length && html`<p class="page-note">No channel of that name.</p>`}
  </div></${Dialog}>`;
}

/** A search for people. @param {{label:string, choose:(user:any)=>void, except?:Set<string>, action:string}} props */
function PeopleFinder({ label, choose, except, action }) {
  const [text, setText] = useState('');
  const [people, setPeople] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(() => void attempt(api.users(text.trim())).then((list) => { if (!stale) setPeople(list?.items ?? []); }), text ? 150 : 0);
    return () => { stale = true; clearTimeout(timer); };
  }, [text]);
  const shown = people.filter((user) => user.id !== me.value?.id && !except?.has(user.id));
  return html`<${Field} id="people-filter" label=${label} type="search" value=${text} onInput=${setText} autofocus autocomplete="off" />
    <ul class="pick">${shown.map((user) => html`<li key=${user.id}><span class="pick-t"><${Avatar} user=${user} size="sm" presence /><b><${PersonName} user=${user} /></b><small>@${user.username}</small><${PresenceWord} userId=${user.id} /></span>
      <button class="btn" aria-label=${`${action} ${personName(user)}`} onClick=${() => choose(user)}>${action}</button></li>`)}</ul>`;
}

function NewDirect() {
  return html`<${Dialog} title="New direct message"><div class="dialog-b">
    <${PeopleFinder} label="Find a person" action="Message" choose=${(/** @type {any} */ user) => { close(); void openDirect([user.id]); }} />
  </div></${Dialog}>`;
}

function Invite() {
  return html`<${Dialog} title="Invite people"><div class="dialog-b">
    <p class="lead">Whoever opens the link can make an account in this workspace.</p>
    <${NewInvitation} autofocus />
  </div></${Dialog}>`;
}

/** The channel on screen: what it is, who is in it, leaving it. */
function Details() {
  const channel = channels.value.get(route.value.channelId);
  const [adding, setAdding] = useState(false);
  useEffect(() => { if (channel) void loadMembers(channel.id); }, [channel?.id]);
  if (!channel) return null;
  const list = members.value.get(channel.id) ?? [];
  const add = async (/** @type {any} */ user) => {
    const done = await attempt(api.addMember(channel.id, user.id).then(() => true));
    if (!done) return;
    notify(`${personName(user)} was added.`);
    const known = members.value.get(channel.id) ?? [];
    if (!known.some((member) => member.user.id === user.id)) members.value = new Map(members.value).set(channel.id, [...known, { user, role: 'member' }]);
  };
  const leave = async () => {
    const done = await attempt(api.leave(channel.id).then(() => true));
    if (!done) return;
    close();
    dropChannel(channel.id);
    navigate('/');
  };
  return html`<${Dialog} title=${isConversation(channel) ? channelTitle(channel) : `#${channel.name}`}><div class="dialog-b">
    ${channel.topic && html`<p class="lead"><bdi>${channel.topic}</bdi></p>`}${channel.description && html`<p class="lead"><bdi>${channel.description}</bdi></p>`}
    ${adding ? html`<${PeopleFinder} label="Add someone" action="Add" choose=${add} except=${new Set(list.map((member) => member.user.id))} />`
      : html`<h3 class="src-h">${channel.member_count} ${channel.member_count === 1 ? 'member' : 'members'}</h3>
        <ul class="pick">${list.map(({ user, role }) => html`<li key=${user.id}><span class="pick-t"><${Avatar} user=${user} size="sm" presence /><b><${PersonName} user=${user} /></b><small>@${user.username}</small><${PresenceWord} userId=${user.id} /></span>
          ${role !== 'member' && html`<span class="pill warn">${role}</span>`}</li>`)}</ul>`}
    ${channel.role && !isConversation(channel) && html`<div class="dialog-f"><button class="btn danger" onClick=${leave}>Leave channel</button><button class="btn" onClick=${() => setAdding(!adding)}>${adding ? 'Show members' : 'Add people'}</button></div>`}
  </div></${Dialog}>`;
}

const KEYS = [
  ['Ctrl K', 'Jump to a channel, a person, a search'], ['Ctrl J', 'Assistant'], ['/', 'Search'], ['Alt ↑ ↓', 'Previous, next channel'], ['Alt Shift ↑ ↓', 'Previous, next unread channel'],
  ['↑ in an empty composer', 'Edit your last message'], ['↑ ↓ in the messages', 'Move between messages'], ['T', 'Open the thread of a message'], ['E', 'Edit a message of yours'], ['+', 'React to a message'], ['Esc', 'Close the pane'],
];

function Keys() {
  return html`<${Dialog} title="Keyboard"><dl class="dialog-b keys">${KEYS.map(([keys, meaning]) => html`<div key=${keys}><dt><kbd>${keys}</kbd></dt><dd>${meaning}</dd></div>`)}</dl></${Dialog}>`;
}
