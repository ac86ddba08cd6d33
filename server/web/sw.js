/**
 * The part of the client that wakes for a pushed notification. It keeps no page and no answer: without the server there is
 * nothing to show, and a stored copy would outlive what its reader may see.
 */
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  let told = {};
  try {
    told = event.data?.json() ?? {};
  } catch {
    // A push without words still says that something waits.
  }
  event.waitUntil(show(told));
});

/** A page of this client that is looked at shows the news itself. @param {any} told */
async function show({ sender, channel_name: channel, text, url = '/', notification_id: tag }) {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (pages.some((page) => page.focused)) return;
  const title = [sender || 'Confab', channel ? `in #${channel}` : ''].filter(Boolean).join(' ');
  const body = text || 'Something new waits for you.';
  await self.registration.showNotification(title, { body: String(body), tag: tag ? String(tag) : undefined, icon: '/assets/logo.svg', data: { url: String(url) } });
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url ?? '/'));
});

/** @param {string} url */
async function open(url) {
  const address = new URL(url, self.location.origin);
  // Only pages of this server: what stands in a push is words from outside.
  const target = address.origin === self.location.origin ? address.href : self.location.origin;
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const [page] = pages;
  if (!page) return self.clients.openWindow(target);
  await page.focus();
  return page.navigate(target).catch(() => self.clients.openWindow(target));
}
