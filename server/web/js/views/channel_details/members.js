/** Who is in the channel, as what; adding, removing, leaving. */
import { chat } from '../../page_chat_api.js';
import { mayAdd, mayRemove, mustHandOver, rolesToGive } from '../../channel_roles.js';
import { cleanName } from '../../format.js';
import { joined, left, loseSight, roleChanged } from '../../events.js';
import { loadMembers } from '../../members.js';
import { personName } from '../../names.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { navigate } from '../../router.js';
import { isConversation, me, members } from '../../store.js';
import { Avatar, PersonName, PresenceWord, StatusText } from '../avatar.js';
import { Confirm } from '../dialog.js';
import { Field, FormError } from '../field.js';
import { html, useEffect, useState } from '../html.js';
import { PeopleFinder } from '../people_finder.js';

/** More than this many are looked for by name. */
const MANY = 12;

/** @param {{channel:import('../../store.js').Channel, close:()=>void}} props */
export function Members({ channel, close }) {
  const [adding, setAdding] = useState(false);
  const [text, setText] = useState('');
  const [asking, setAsking] = useState(/** @type {{what:'remove'|'leave', member?:any}|null} */ (null));
  const [error, setError] = useState('');
  useEffect(() => void loadMembers(channel.id), [channel.id]);
  const list = members.value.get(channel.id) ?? [];
  const wanted = text.trim().toLowerCase();
  const further = useFurther(channel, list.length, wanted);
  const shown = [...list, ...further].filter(({ user }) => personName(user).toLowerCase().includes(wanted) || user.username.toLowerCase().includes(wanted));
  const named = !isConversation(channel);
  const act = (/** @type {Promise<any>} */ work) => work.then(() => setError(''), (failure) => setError(failure.message));
  const add = (/** @type {any} */ user) => act(chat.addMember(channel.id, user.id).then(() => {
    joined({ channel_id: channel.id, user, role: 'member' });
    notify(t('was_added', { name: personName(user) }));
  }));
  const setRole = (/** @type {any} */ member, /** @type {string} */ role) => act(chat.setMemberRole(channel.id, member.user.id, role).then(() => roleChanged({ channel_id: channel.id, user_id: member.user.id, role })));
  const remove = async () => {
    await chat.removeMember(channel.id, asking?.member.user.id);
    left({ channel_id: channel.id, user_id: asking?.member.user.id });
  };
  const leave = async () => {
    await chat.leave(channel.id);
    close();
    loseSight(channel.id);
    navigate('/');
  };
  const handOver = mustHandOver(channel.role, list);
  return html`<${FormError} error=${error} />
    ${adding ? html`<${PeopleFinder} label=${t('add_someone')} action=${t('add')} choose=${add} except=${new Set(list.map((member) => member.user.id))} />` : html`
      ${list.length > MANY && html`<${Field} id="member-filter" label=${t('find_a_member')} type="search" value=${text} onInput=${setText} autocomplete="off" />`}
      <ul class="pick">${shown.map((member) => html`<${MemberRow} key=${member.user.id} member=${member} mine=${channel.role} named=${named} setRole=${(/** @type {string} */ role) => setRole(member, role)} remove=${() => setAsking({ what: 'remove', member })} />`)}</ul>
      ${channel.member_count > list.length && list.length > 0 && html`<p class="lead">${t('the_first_of', { count: list.length, member_count: channel.member_count })}</p>`}`}
    ${channel.role && named && html`${handOver && html`<p class="lead warn">${t('you_are_the_only_owner_before')}</p>`}
      <div class="dialog-f"><button type="button" class="btn danger" disabled=${handOver} onClick=${() => setAsking({ what: 'leave' })}>${t('leave_channel')}</button>
        ${mayAdd(channel) && !channel.archived_at && html`<button type="button" class="btn" onClick=${() => setAdding(!adding)}>${adding ? t('show_members') : t('add_people')}</button>`}</div>`}
    ${asking?.what === 'remove' && html`<${Confirm} title=${t('remove_2x', { name: cleanName(personName(asking.member.user)) })} action=${t('remove')} run=${remove} close=${() => setAsking(null)}><p>${t('what_they_wrote_stays')} ${channel.kind === 'private' ? t('they_lose_sight_of_the_channel') : t('they_can_join_again')}</p></${Confirm}>`}
    ${asking?.what === 'leave' && html`<${Confirm} title=${t('leave_2', { name: cleanName(channel.name) })} action=${t('leave')} run=${leave} close=${() => setAsking(null)}><p>${channel.kind === 'private' ? t('you_lose_sight_of_it_and') : t('you_can_join_again_at_any')}</p></${Confirm}>`}`;
}

/** Of a channel with more members than the page holds, the server finds those of a name. @param {import('../../store.js').Channel} channel @param {number} held @param {string} wanted */
function useFurther(channel, held, wanted) {
  const [found, setFound] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    setFound([]);
    if (!wanted || !held || channel.member_count <= held) return undefined;
    let stale = false;
    const timer = setTimeout(() => chat.members(channel.id, { q: wanted }).then((page) => {
      const known = new Set((members.value.get(channel.id) ?? []).map(({ user }) => user.id));
      if (!stale) setFound(page.items.filter((/** @type {any} */ { user }) => !known.has(user.id)));
    }, () => {}), 200);
    return () => { stale = true; clearTimeout(timer); };
  }, [channel.id, held, wanted]);
  return found;
}

/** @param {{member:{user:any, role:string}, mine:string|null|undefined, named:boolean, setRole:(role:string)=>void, remove:()=>void}} props */
function MemberRow({ member: { user, role }, mine, named, setRole, remove }) {
  const isMe = user.id === me.value?.id;
  const roles = named ? rolesToGive(mine, role) : [];
  const name = cleanName(personName(user));
  return html`<li><span class="pick-t"><${Avatar} user=${user} size="sm" presence /><b><${PersonName} user=${user} />${isMe ? ' (you)' : ''}</b><small>@${user.username}</small><${StatusText} userId=${user.id} /><${PresenceWord} userId=${user.id} /></span>
    ${roles.length ? html`<select class="role" aria-label=${t('role_of', { name })} value=${role} onChange=${(/** @type {any} */ event) => setRole(event.target.value)}>${roles.map((one) => html`<option key=${one} value=${one} selected=${one === role}>${one[0].toUpperCase() + one.slice(1)}</option>`)}</select>`
      : named && role !== 'member' && html`<span class="pill warn">${role}</span>`}
    ${named && !isMe && mayRemove(mine, role) && html`<button type="button" class="btn small" aria-label=${t('remove_2', { name })} onClick=${remove}>${t('remove')}</button>`}</li>`;
}
