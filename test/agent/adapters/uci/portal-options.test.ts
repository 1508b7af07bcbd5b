import t from 'tap';
import { configErrorText, configFromUci } from '../../../../agent/adapters/uci/read-config.ts';

function portal(lines: string) {
  const reading = configFromUci(`config portal\n${lines}`);
  return reading.ok ? reading.config.portal : reading.errors.map(configErrorText);
}

t.test('a certificate comes with its key, or there is none', (t) => {
  t.notMatch(portal(''), { tls: {} });
  t.match(portal('\toption tls_cert /etc/ssl/a.crt\n\toption tls_key /etc/ssl/a.key\n'), {
    tls: { certPath: '/etc/ssl/a.crt', keyPath: '/etc/ssl/a.key' },
  });
  t.match(portal('\toption tls_cert /etc/ssl/a.crt\n'), [/tls_key: must be set with tls_cert/]);
  t.match(portal('\toption tls_key /etc/ssl/a.key\n'), [/tls_cert: must be set with tls_key/]);
  t.match(portal('\toption tls_key ../a.key\n'), [/tls_key: must be an absolute path/]);
  t.end();
});
