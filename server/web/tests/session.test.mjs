import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { askInPane, channelOnly, turns as answers } from '../js/assistant.js';
import { api, Cancelled, setAccessToken } from '../js/api.js';
import { clearDraft, drafts, loadDrafts, saveBehind, setDraft } from '../js/drafts.js';
import { loseSight } from '../js/events.js';
import { loadBookmarks, loadThreads } from '../js/following.js';
import { inTurn } from '../js/in_turn.js';
import { loadMembers } from '../js/members.js';
import { attempt, notices } from '../js/notices.js';
import { leave, renewToken, restore, signedIn, signOut, startSession } from '../js/session.js';
import { bookmarks, channels, me, members, threads, users } from '../js/store.js';
import { keepUnsent, restoreUnsent, unsent } from '../js/unsent.js';
import { asked, asksFor, startBrowser, turns, useLocks } from './served.mjs';

/** What another tab writes comes in by this. @type {(event:{key:string, newValue:string|null}) => void} */
let stored = () => {};
globalThis.addEventListener = /** @type {any} */ ((kind, listener) => { if (kind === 'storage') stored = listener; });
const page = startBrowser();
const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas' };
const mei = { id: 'u3', username: 'mei' };
const tokenOf = (sid) => `x.${btoa(JSON.stringify({ sid })).replace(/=+$/, '')}.y`;
const grant = (user, sid) => ({ user, access_token: tokenOf(sid), expires_in: 1_800 });
const pending = { nonce: 'n1', channel_id: 'c1', content: 'mine', created_at: '', state: 'sending' };
const isMarked = () => page.localStorage.kept.has('confab-signing-out');
const refreshes = () => asksFor('/auth/refresh');
/** @type {string[]} */
let ends = [];

beforeEach(() => {
  startSession({ renewed: () => {}, ended: (reason) => { ends.push(reason); } });
  leave('', { isChosen: true });
  page.localStorage.kept.clear();
  page.reloads = 0;
  ends = [];
  asked.length = 0;
});

test('whoever signs out while the server is away is not signed in again by the cookie', async () => {
  signedIn(grant(amara, 's1'));
  const leaving = signOut();
  await turns();
  await asksFor('/auth/logout')[0].fail();
  await leaving;
  assert.deepEqual([me.value, isMarked(), ends], [null, true, ['']]);
  // The next visit. The server is there again, and ends that session.
  const visit = restore();
  await turns();
  await refreshes()[0].say(grant(amara, 's1'));
  await asksFor('/auth/logout')[1].say(null, 204);
  assert.deepEqual([await visit, me.value, isMarked()], [false, null, false]);
});

test('another session of this browser than the one that was left stays', async () => {
  page.localStorage.setItem('confab-signing-out', 's1');
  const visit = restore();
  await turns();
  await refreshes()[0].say(grant(jonas, 's2'));
  assert.deepEqual([await visit, me.value, isMarked(), asksFor('/auth/logout').length], [true, jonas, false, 0]);
  page.localStorage.setItem('confab-signing-out', 's1');
  signedIn(grant(amara, 's3'));
  assert.equal(isMarked(), false);
});

test('a sign-out that the server heard leaves no mark, and other tabs go with it', async () => {
  signedIn(grant(amara, 's1'));
  const leaving = signOut();
  await turns();
  assert.ok(isMarked());
  await asksFor('/auth/logout')[0].say(null, 204);
  await leaving;
  assert.equal(isMarked(), false);
  signedIn(grant(amara, 's1'));
  keepUnsent(pending);
  stored({ key: 'confab-signing-out', newValue: null });
  assert.equal(me.value, amara);
  stored({ key: 'confab-signing-out', newValue: 's9' });
  assert.equal(me.value, amara, 'another session of this browser');
  stored({ key: 'confab-signing-out', newValue: 's1' });
  assert.deepEqual([me.value, unsent.value.size, page.sessionStorage.kept.size], [null, 0, 0]);
});

test('what was asked for before somebody left signs nobody in', async () => {
  signedIn(grant(amara, 's1'));
  const renewing = renewToken(true).catch((error) => error);
  await turns();
  leave('', { isChosen: true });
  await refreshes()[0].say(grant(amara, 's1'));
  assert.ok((await renewing).offline);
  assert.equal(me.value, null);
});

test('a token that ran out does not say that its session has ended', async () => {
  signedIn(grant(amara, 's1'));
  const leaving = signOut();
  await turns();
  await asksFor('/auth/logout')[0].say({ code: 'token_expired' }, 401);
  await leaving;
  assert.ok(isMarked(), 'the cookie would bring it back');
});

test('of refreshes that fail one is tried again, not each', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  signedIn(grant(amara, 's1'));
  for (let number = 0; number < 3; number += 1) {
    const renewing = renewToken(true).catch((error) => error);
    await turns();
    await refreshes().at(-1).say({ code: 'unavailable' }, 503);
    await renewing;
  }
  mock.timers.tick(15_000);
  await turns();
  assert.equal(refreshes().length, 4);
  await refreshes().at(-1).say(grant(amara, 's1'));
  mock.timers.reset();
});

test('a page does not become somebody else’s: it is loaded anew', async () => {
  signedIn(grant(amara, 's1'));
  restoreUnsent(amara.id);
  keepUnsent(pending);
  const renewing = renewToken(true).catch((error) => error);
  await turns();
  await refreshes()[0].say(grant(jonas, 's2'));
  await renewing;
  assert.deepEqual([me.value, page.reloads, unsent.value.size, page.sessionStorage.kept.size], [null, 1, 0, 0]);
});

test('whose session ends finds again what was not sent', async () => {
  signedIn(grant(amara, 's1'));
  restoreUnsent(amara.id);
  keepUnsent(pending);
  const renewing = renewToken(true).catch((error) => error);
  await turns();
  await refreshes()[0].say({ code: 'unauthenticated' }, 401);
  await renewing;
  assert.deepEqual([me.value, unsent.value.size, ends.length], [null, 0, 1]);
  restoreUnsent(amara.id);
  assert.deepEqual([...unsent.value.values()].map(({ content, state, offline }) => [content, state, offline]), [['mine', 'failed', true]]);
});

test('a server that is busy at the first question signs nobody out', async () => {
  const visit = assert.rejects(restore(), { code: 'unavailable' });
  await turns();
  await refreshes()[0].say({ code: 'unavailable' }, 503);
  await visit;
});

test('only the server ends a session: nothing that stands before it, and no broken line', async () => {
  const answers = [(ask) => ask.page('404 page not found', 404), (ask) => ask.page('<p>Back soon</p>'), (ask) => ask.page('', 403), (ask) => ask.say({ message: 'no route', code: 404 }, 401), (ask) => ask.cut()];
  for (const answer of answers) {
    signedIn(grant(amara, 's1'));
    const renewing = renewToken(true).catch((error) => error);
    await turns();
    await answer(refreshes().at(-1));
    assert.deepEqual([(await renewing).isFinal, me.value, ends], [false, amara, []]);
    leave('', { isChosen: true });
    ends = [];
    // Nor does it say at the first question that nobody is here.
    const visit = assert.rejects(restore());
    await turns();
    await answer(refreshes().at(-1));
    await visit;
  }
});

test('a straggler signs nobody in again, and does nothing in the name of who came next', async () => {
  signedIn(grant(amara, 's1'));
  const before = api.me().catch((error) => error);
  leave('', { isChosen: true });
  await asked[0].say({ code: 'token_expired' }, 401);
  const behind = api.me().catch((error) => error);
  await asked[1].say({ code: 'unauthenticated' }, 401);
  assert.ok((await before) instanceof Cancelled);
  assert.equal((await behind).status, 401);
  // Refused while the next person is here.
  signedIn(grant(amara, 's1'));
  const post = api.runCommand('c1', '/x').catch((error) => error);
  leave('', { isChosen: true });
  signedIn(grant(jonas, 's2'));
  await asked[2].say({ code: 'token_expired' }, 401);
  assert.ok((await post) instanceof Cancelled);
  assert.deepEqual([asked.length, me.value], [3, jonas]);
});

test('what one person asked for is not shown to the next one', async () => {
  signedIn(grant(amara, 's1'));
  const late = [loadDrafts(), loadThreads(), loadBookmarks(), loadMembers('c1'), attempt(api.me())].map((work) => work.catch(() => {}));
  setDraft({ channelId: 'c1' }, 'mine');
  clearDraft({ channelId: 'c1' }, { sent: false });
  await turns();
  leave('', { isChosen: true });
  signedIn(grant(jonas, 's2'));
  const root = { id: 'm1', channel_id: 'c1', sender: mei, content: 'secret' };
  await asksFor('/drafts')[0].say({ items: [{ channel_id: 'c1', content: 'secret' }] });
  await asksFor('/threads')[0].say({ items: [{ message: root, read_seq: 0, unread_count: 1, mention_count: 0 }] });
  await asksFor('/bookmarks')[0].say({ items: [{ message: root }] });
  await asksFor('/members')[0].say({ items: [{ user: mei, role: 'member' }] });
  await asksFor('/auth/me')[0].fail();
  await asksFor('/draft', 'DELETE')[0].say(null, 204);
  await Promise.all(late);
  assert.deepEqual([drafts, threads, bookmarks, members, users].map(({ value }) => value.size), [0, 0, 0, 0, 0]);
  assert.deepEqual(notices.value, [], 'and nobody is told');
  const count = asked.length;
  saveBehind();
  assert.equal(asked.length, count, 'nor is it saved as theirs');
});

test('tabs take turns also where the browser has no locks', async () => {
  const order = /** @type {string[]} */ ([]);
  let inside = 0;
  const work = (name) => inTurn('refresh', async () => {
    inside += 1;
    assert.equal(inside, 1, 'alone');
    await turns();
    order.push(name);
    inside -= 1;
  });
  useLocks(false);
  await Promise.all(['a', 'b', 'c'].map(work));
  assert.equal(order.length, 3);
  // A tab that was closed in the middle, or whose clock was ahead, keeps nobody out.
  for (const until of [Date.now() - 1, Date.now() + 86_400_000]) {
    page.localStorage.setItem('confab-turn refresh', JSON.stringify({ mine: 'gone', until }));
    await work('d');
  }
  assert.equal(page.localStorage.kept.size, 0);
  await assert.rejects(inTurn('refresh', async () => { throw new Error('broken'); }), /broken/);
  assert.equal(page.localStorage.kept.size, 0);
  useLocks(true);
});

test('what the assistant said goes with its person, and each time with the channel that it quotes', async () => {
  const cites = { question: 'q', steps: [], busy: false, ask: async () => {}, answer: { answer: 'a', citations: [{ channel_id: 'c7' }] } };
  for (const _ of [1, 2]) {
    channels.value = new Map([['c7', /** @type {any} */ ({ id: 'c7', kind: 'private', name: 'x', role: 'member' })]]);
    answers.value = [cites];
    loseSight('c7');
    assert.equal(answers.value.length, 0);
  }
  signedIn(grant(amara, 's1'));
  setAccessToken('t');
  channelOnly.value = true;
  const asking = askInPane('secret');
  await turns();
  leave('', { isChosen: true });
  await asking;
  assert.deepEqual([answers.value, channelOnly.value], [[], false]);
});
