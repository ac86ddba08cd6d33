import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oidcPath, picturePath } from '../js/api.js';
import { ACTIONS, actionText, dayRange, detailLines } from '../js/audit.js';
import { deviceText } from '../js/device.js';
import { ADMINISTERING, administers, may } from '../js/permissions.js';
import { ADMINISTRATION, adminSections, PREFERENCES } from '../js/sections.js';
import { placedRefusal } from '../js/placed_refusal.js';
import { fieldSentence } from '../js/refusal.js';
import { returnPath, signInMessage } from '../js/sign_in.js';
import { currentStatus, DURATIONS, statusExpiry } from '../js/status.js';
import { mustSetUpTwoFactor } from '../js/two_factor.js';
import { groupedSecret, plainCode, recoveryCodeFile } from '../js/two_factor_codes.js';

const local = (...parts) => new Date(...parts).toISOString();

test('a status ends when its words say, in the reader’s own calendar', () => {
  const thursday = new Date(2026, 4, 28, 14, 30, 15);
  assert.equal(statusExpiry('half_hour', thursday), local(2026, 4, 28, 15, 0, 15));
  assert.equal(statusExpiry('hour', thursday), local(2026, 4, 28, 15, 30, 15));
  assert.equal(statusExpiry('today', thursday), local(2026, 4, 29));
  assert.equal(statusExpiry('week', thursday), local(2026, 5, 1));
  assert.equal(statusExpiry('never', thursday), null);
});

test('a week ends with Sunday, also on a Sunday and on a Monday', () => {
  assert.equal(statusExpiry('week', new Date(2026, 4, 31, 23, 59)), local(2026, 5, 1));
  assert.equal(statusExpiry('week', new Date(2026, 5, 1, 0, 1)), local(2026, 5, 8));
  assert.equal(statusExpiry('week', new Date(2026, 11, 31)), local(2027, 0, 4));
  for (const [duration] of DURATIONS) if (duration !== 'never') assert.ok(new Date(statusExpiry(duration)) > new Date(), duration);
});

test('a status text whose time is over is none, and the rest stays', () => {
  const now = new Date('2026-05-28T12:00:00Z');
  const status = { user_id: 'a', status: 'busy', text: 'Lunch', expires_at: '2026-05-28T12:00:00Z' };
  assert.deepEqual(currentStatus(status, now), { user_id: 'a', status: 'busy', text: null, expires_at: null });
  const later = { ...status, expires_at: '2026-05-28T12:00:01Z' };
  assert.equal(currentStatus(later, now), later);
  const lasting = { ...status, expires_at: null };
  assert.equal(currentStatus(lasting, now), lasting);
  assert.equal(currentStatus(null, now), null);
});

test('the file of recovery codes says what it is, and holds each code on its own line', () => {
  const text = recoveryCodeFile(['aaaaa-bbbbb', 'ccccc-ddddd'], { workspace: 'Northwind', username: 'amara', address: 'https://chat.example', now: new Date('2026-05-28T12:00:00Z') });
  assert.match(text, /^Recovery codes of amara for Northwind \(https:\/\/chat\.example\)\nMade on 2026-05-28\./);
  assert.deepEqual(text.split('\n').slice(3, 5), ['aaaaa-bbbbb', 'ccccc-ddddd']);
  assert.ok(text.endsWith('.\n'));
});

test('codes are taken as devices show them', () => {
  assert.deepEqual(['123 456', ' 123-456 ', 'abcde-fghij', '12345 - 6'].map(plainCode), ['123456', '123456', 'abcde-fghij', '123456']);
  assert.equal(groupedSecret('JBSWY3DPEHPK3PXP'), 'JBSW Y3DP EHPK 3PXP');
  assert.equal(groupedSecret('JBSWY'), 'JBSW Y');
});

test('a second factor is asked for before anything else only of those who must have one', () => {
  const account = { two_factor_required: true, two_factor_enabled: false, has_password: true };
  assert.equal(mustSetUpTwoFactor(account), true);
  for (const change of [{ two_factor_required: false }, { two_factor_enabled: true }, { has_password: false }]) assert.equal(mustSetUpTwoFactor({ ...account, ...change }), false);
  assert.equal(mustSetUpTwoFactor(null), false);
});

test('each section of the administration opens by its own permission', () => {
  const names = (user) => adminSections(user).map(({ name }) => name);
  assert.deepEqual(names(null), []);
  assert.deepEqual(names({ permissions: ['channels.create'] }), []);
  assert.deepEqual(names({ permissions: ['plugins.manage'] }), ['plugins']);
  assert.deepEqual(names({ permissions: ['server.watch'] }), ['overview', 'channels', 'assistant', 'index', 'server']);
  assert.deepEqual(names({ permissions: ['users.manage'] }), ['people']);
  assert.deepEqual(names({ permissions: ['bots.manage'] }), ['people', 'webhooks']);
  assert.deepEqual(names({ permissions: ['roles.manage', 'users.invite', 'audit.read'] }), ['roles', 'audit', 'invitations']);
  assert.deepEqual(names({ is_superuser: true, permissions: [] }), ['overview', 'people', 'roles', 'channels', 'plugins', 'webhooks', 'assistant', 'index', 'transfers', 'audit', 'invitations', 'policy', 'server']);
  assert.deepEqual([...new Set(ADMINISTRATION.flatMap(({ asks }) => asks))].sort(), [...ADMINISTERING].sort());
  assert.deepEqual([administers({ permissions: ['audit.read'] }), administers({ is_superuser: true }), administers({ permissions: ['channels.create'] }), administers(null)], [true, true, false, false]);
  assert.equal(may({ permissions: ['users.invite'] }, 'users.manage'), false);
  assert.deepEqual(PREFERENCES.map(({ name }) => name), ['profile', 'appearance', 'notifications', 'security', 'sessions', 'tokens']);
});

test('a refusal stands at its field, and above the form only where no field is at fault', () => {
  const names = ['username', 'password', 'code'];
  assert.deepEqual(placedRefusal(null, names), { fields: {}, message: '' });
  assert.deepEqual(placedRefusal({ message: 'x', fields: { password: 'is too common' } }, names), { fields: { password: 'is too common' }, message: '' });
  assert.deepEqual(placedRefusal({ message: 'x', fields: { password: 'a', role_ids: 'holds nothing' } }, names), { fields: { password: 'a' }, message: 'Role ids holds nothing.' });
  assert.deepEqual(placedRefusal({ message: 'Wrong.', code: 'wrong_code', fields: {} }, names), { fields: { code: 'Wrong.' }, message: '' });
  assert.deepEqual(placedRefusal({ message: 'Wrong.', code: 'wrong_credentials' }, names, {}), { fields: {}, message: 'Wrong.' });
  assert.deepEqual(placedRefusal({ message: 'No.', fields: { elsewhere: 'is wrong' } }, names), { fields: {}, message: 'Elsewhere is wrong.' });
  const taken = { message: 'another role has this name', code: 'name_taken', fields: {} };
  assert.deepEqual(placedRefusal(taken, ['name', 'description']), { fields: { name: 'Another role has this name.' }, message: '' });
  // Of an account the server does not say which of the two is taken, so no field is blamed.
  assert.deepEqual(placedRefusal(taken, ['username', 'email']), { fields: {}, message: 'Another role has this name.' });
});

test('what a field is told reads as a sentence', () => {
  assert.equal(fieldSentence('New password', 'must have at least 8 characters'), 'New password must have at least 8 characters.');
  assert.equal(fieldSentence('Email (optional)', 'is no address'), 'Email is no address.');
  assert.equal(fieldSentence('Name', 'Taken.'), 'Taken.');
  assert.equal(fieldSentence('', 'taken'), 'Taken.');
  assert.equal(fieldSentence('Code', 'the code is wrong'), 'The code is wrong.');
  assert.equal(fieldSentence('Name', 'then some'), 'Name then some.');
});

test('the log’s days are whole days, and its words are known', () => {
  assert.deepEqual(dayRange('2026-05-01', '2026-05-31'), { from: local(2026, 4, 1), to: local(2026, 5, 1) });
  assert.deepEqual(dayRange('', ''), {});
  assert.deepEqual(dayRange('2026-12-31', ''), { from: local(2026, 11, 31) });
  assert.equal(new Set(ACTIONS.map(([word]) => word)).size, ACTIONS.length);
  assert.deepEqual([actionText('account.signed_in'), actionText('of.tomorrow')], ['Signed in', 'of.tomorrow']);
  assert.deepEqual(detailLines({ reason: 'wrong_password', max_uses: 3, was: { a: 1 } }), [['reason', 'wrong_password'], ['max uses', '3'], ['was', '{"a":1}']]);
  assert.deepEqual(detailLines(null), []);
});

test('devices are called what people call them', () => {
  const agents = {
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0': 'Firefox on Linux',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0': 'Edge on Windows',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1': 'Safari on iPhone',
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36': 'Chrome on Android',
    'curl/8.5.0': 'curl', 'confab-cli 1.2': 'confab-cli 1.2', '': 'Unknown device',
  };
  for (const [agent, name] of Object.entries(agents)) assert.equal(deviceText(agent), name);
  assert.equal(deviceText(undefined), 'Unknown device');
});

test('signing in by another system comes back to what was asked for', () => {
  assert.equal(returnPath('channel', { pathname: '/channels/a', search: '?seq=3' }), '/channels/a?seq=3');
  assert.equal(returnPath('login', { pathname: '/login', search: '?error=oidc_failed' }), '/');
  assert.equal(oidcPath({ return_to: '/channels/a?seq=3' }), '/api/v1/auth/oidc/start?return_to=%2Fchannels%2Fa%3Fseq%3D3');
  assert.equal(oidcPath({ return_to: '/', invitation: 'a&b' }), '/api/v1/auth/oidc/start?return_to=%2F&invitation=a%26b');
  assert.equal(signInMessage(''), '');
  assert.match(signInMessage('email_taken'), /link/);
  assert.match(signInMessage('identity_taken'), /somebody else/);
  assert.match(signInMessage('<script>'), /^Signing in did not work/);
});

test('a picture comes from this server or not at all', () => {
  assert.equal(picturePath('/api/v1/pictures/abc'), '/api/v1/pictures/abc');
  for (const address of ['https://elsewhere.example/p.png', '//elsewhere.example/api/v1/pictures/x', 'data:image/png;base64,', '', null, undefined]) assert.equal(picturePath(address), '');
});
