// An OpenID Connect provider for the tests: the npm package `oidc-provider` with people who never have to click.
// Whoever `login_hint` names is signed in at once, and agrees to everything; a name that begins with `refuses` does not.
// It is started in the folder that holds node_modules, and the tests steer it under /control/.
import { constants, createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const found = createRequire(`${process.cwd()}/`).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found));

const CLIENT_ID = 'confab';
const CLIENT_SECRET = 'a-secret-that-only-tests-know';
// RFC 8707 wants a URI to ask for an audience by, and lets the audience itself be any word.
const RESOURCE = 'urn:confab:api';
const AUDIENCE = 'confab-api';
const SCOPES = 'openid profile email';
const CLAIMS = {
  openid: ['sub'],
  email: ['email', 'email_verified'],
  profile: ['name', 'picture', 'preferred_username'],
};

const ROUTES = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/token': 'token',
  '/me': 'userinfo',
};

const counts = { discovery: 0, jwks: 0, token: 0, userinfo: 0 };
const cookieKeys = [randomBytes(32).toString('base64url')];
const subjects = new Map();
const accounts = new Map();
const redirectUris = new Set();
let keys = [newKey()];
let jwksDown = false;
let issuer;
let provider;

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) reply(response, 500, { error: String(error) });
  });
});
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  // A client must have one; the tests use this one where no server of theirs takes part.
  redirectUris.add(`${issuer}/callback`);
  renew();
  console.log(`oidc provider listening on ${issuer}`);
});

async function answer(request, response) {
  const { pathname } = new URL(request.url, issuer);
  if (pathname.startsWith('/control/')) return control(pathname.slice('/control/'.length), request, response);
  if (pathname.startsWith('/interaction/')) return interact(request, response);
  const counted = ROUTES[pathname];
  if (counted) counts[counted] += 1;
  if (counted === 'jwks' && jwksDown) return reply(response, 503, { error: 'temporarily_unavailable' });
  return provider.callback()(request, response);
}

/** A provider holds its keys and clients for life, so a change of either makes a new one; grants and codes outlive it. */
function renew() {
  provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [...redirectUris],
    }],
    jwks: { keys },
    cookies: { keys: cookieKeys },
    pkce: { required: () => true },
    scopes: SCOPES.split(' '),
    claims: CLAIMS,
    findAccount: (_, subject) => {
      const account = accounts.get(subject);
      return account && { accountId: subject, claims: () => account };
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: agree,
    extraTokenClaims: claimsInToken,
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_, client, oneOf) => oneOf ?? RESOURCE,
        // Without `resource` at the token endpoint the token is one for userinfo, which a token with an audience is not.
        useGrantedResource: () => false,
        getResourceServerInfo: () => ({
          scope: SCOPES,
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256', kid: keys[0].kid } },
        }),
      },
    },
  });
}

/** Consent, given beforehand. */
async function agree(context) {
  const { oidc } = context;
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope(SCOPES);
  grant.addResourceScope(RESOURCE, SCOPES);
  await grant.save();
  return grant;
}

/** What the scopes allow is in the access token too, as other providers have it: no userinfo answers to a token for an API. */
function claimsInToken(_, token) {
  if (!token.aud) return undefined;
  const account = accounts.get(token.accountId) ?? {};
  const allowed = [...token.scopes].flatMap((scope) => CLAIMS[scope] ?? []).filter((claim) => claim !== 'sub');
  return Object.fromEntries(allowed.filter((claim) => claim in account).map((claim) => [claim, account[claim]]));
}

/** The login page: it asks nothing. */
async function interact(request, response) {
  const { prompt, params } = await provider.interactionDetails(request, response);
  const name = params.login_hint;
  const result = !name || name.startsWith('refuses')
    ? { error: 'access_denied', error_description: name ? `${name} said no` : 'no login_hint says who this is' }
    : prompt.name === 'login' ? { login: { accountId: subjectOf(name) } } : { consent: {} };
  await provider.interactionFinished(request, response, result);
}

function subjectOf(name) {
  if (!subjects.has(name)) setAccount({ name });
  return subjects.get(name);
}

/** `name` is the login_hint and `full_name` the claim called name; the rest are claims, and null leaves one out. */
function setAccount({ name, full_name: fullName, ...given }) {
  const claims = {
    sub: `sub-${name}`,
    name: fullName === undefined ? `${name[0].toUpperCase()}${name.slice(1)} Example` : fullName,
    preferred_username: name,
    picture: `${issuer}/pictures/${name}.png`,
    email: `${name}@example.org`,
    email_verified: !name.startsWith('unverified'),
    ...given,
  };
  const account = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
  subjects.set(name, account.sub);
  accounts.set(account.sub, account);
}

async function control(action, request, response) {
  if (request.method === 'GET' && action === 'counts') return reply(response, 200, counts);
  const steer = request.method === 'POST' && STEERING[action];
  if (!steer) return reply(response, 404, { error: `no control ${request.method} ${action}` });
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return reply(response, 200, steer(JSON.parse(Buffer.concat(chunks))) ?? {});
}

const STEERING = {
  accounts: setAccount,
  'jwks-down': ({ down }) => { jwksDown = down; },
  'redirect-uris': ({ uris }) => {
    uris.forEach((uri) => redirectUris.add(uri));
    renew();
  },
  rotate: ({ keep }) => {
    keys = [newKey(), ...(keep ? keys : [])];
    renew();
  },
  sign: ({ header, claims }) => ({ token: signed(header, claims) }),
};

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), use: 'sig', alg: 'RS256' };
}

/** Exactly this header and these claims, whatever they say, under the key that is in use. */
function signed(header, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${signature(header.alg, text).toString('base64url')}`;
}

function signature(algorithm, text) {
  const key = { key: keys[0], format: 'jwk' };
  switch (algorithm) {
    case 'none': return Buffer.alloc(0);
    // The confusion attack: the public key, which anybody has, as if it were a shared secret.
    case 'HS256': {
      const secret = createPublicKey(key).export({ format: 'pem', type: 'spki' });
      return createHmac('sha256', secret).update(text).digest();
    }
    case 'PS256': {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return sign('sha256', text, { ...key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
    }
    case 'RS256': return sign('sha256', text, key);
    default: throw new Error(`no signature of kind ${algorithm}`);
  }
}

function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
