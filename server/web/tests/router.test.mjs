import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminPath, channelPath, isPage, parseRoute, preferencesPath, searchPath } from '../js/router.js';

const at = (path) => parseRoute(new URL(path, 'http://server'));

test('addresses', () => {
  assert.deepEqual(at('/channels/abc?seq=12'), { name: 'channel', channelId: 'abc', seq: 12, query: '', kind: '', section: '', error: '', fragment: '' });
  assert.deepEqual([at('/channels/abc?seq=-1').seq, at('/channels/abc?seq=x').seq, at('/channels/abc?seq=1e400').seq], [0, 0, 0]);
  assert.deepEqual([at('/search?q=a%20b').query, at('/setup#T%2FK').fragment, at('/register#%E0%A4').fragment], ['a b', 'T/K', '%E0%A4']);
  assert.deepEqual([at('/').name, at('/login/').name, at('/elsewhere').name], ['home', 'login', 'missing']);
});

test('paths are escaped both ways', () => {
  assert.equal(channelPath('a/b', 3), '/channels/a%2Fb?seq=3');
  assert.equal(at(channelPath('a/b')).channelId, 'a/b');
  assert.equal(at(searchPath('in:x "y & z"')).query, 'in:x "y & z"');
  assert.deepEqual([at(searchPath('a b', 'files')).query, at(searchPath('a b', 'files')).kind, at('/search?q=a&in=people').kind, at('/search?q=a&in=rooms').kind, searchPath('')], ['a b', 'files', 'people', '', '/search']);
});

test('links to the server’s own pages are left to the browser', () => {
  assert.deepEqual(['/docs', '/api/v1/info', '/assets/app.css', '/channels/x', '/'].map(isPage), [false, false, false, true, true]);
});

test('the pages of accounts', () => {
  assert.deepEqual([at('/forgot').name, at('/reset#T%2FK').name, at('/reset#T%2FK').fragment, at('/login?error=oidc_failed').error], ['forgot', 'reset', 'T/K', 'oidc_failed']);
  for (const [path, name, section] of [['/preferences', 'preferences', ''], [preferencesPath('tokens'), 'preferences', 'tokens'], ['/admin/', 'admin', ''], [adminPath('audit'), 'admin', 'audit']]) {
    assert.deepEqual([at(path).name, at(path).section, isPage(path)], [name, section, true], path);
  }
  assert.deepEqual(['/forgot', '/reset', '/administrator', '/adminx/y', '/preferencesx'].map(isPage), [true, true, false, false, false]);
  assert.equal(at('/admin/people/extra').name, 'missing');
  assert.equal(at('/search?error=x').error, '');
});
