// express-openid-connect with an express-session store.
export { startWithStore as start } from './express-openid-connect.js';
