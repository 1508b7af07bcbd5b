/** Does the portal speak https with the certificate that the owner named? Without it phones find the page by redirect only. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AgentConfig } from '../../core/config.ts';
import { utcText } from '../quantity.ts';
import { doubtful, type Finding, fine } from './finding.ts';
import type { DoctorProbe } from './probe.ts';

const NAME = 'certificate';
/** The portal looks for a new one each minute; its jail shows it the folders that held the files when it was started. */
const FIX_UNSEEN =
  'If it is older than a minute: chown root:shareagent and chmod 0640 both files, then service shareagent restart (paid guests surf on).';

/** One line if a certificate is set, none otherwise. */
export async function certificateFindings(
  probe: DoctorProbe,
  { tls, host, port }: AgentConfig['portal'],
  isRunning: boolean,
): Promise<readonly Finding[]> {
  if (tls === undefined) return [];
  const { certPath, keyPath } = tls;
  const [certText, keyText] = await Promise.all([probe.text(certPath), probe.text(keyPath)]);
  if (certText === undefined || keyText === undefined) {
    const path = certText === undefined ? certPath : keyPath;
    const fix = `Put it there, readable for the user shareagent (chown root:shareagent ${path}; chmod 0640 ${path}), then service shareagent restart.`;
    return [doubtful(NAME, `${path} cannot be read; ${WITHOUT}`, fix)];
  }
  const fault = faultOf(certText, keyText, host, probe.wallS());
  if (fault !== undefined) return [doubtful(NAME, `${certPath} ${fault}`, 'Set portal.tls_cert and portal.tls_key.')];
  const certificate = new X509Certificate(certText);
  const detail = `${certPath}, until ${utcText(BigInt(Math.floor(certificate.validToDate.getTime() / 1000)))} UTC`;
  if (!isRunning) return [fine(NAME, detail)];
  const shown = await probe.shownCertificate(port);
  if (shown === certificate.fingerprint256) return [fine(NAME, detail)];
  const seen =
    shown === undefined ? `the running agent has not read it; ${WITHOUT}` : 'the running agent shows another';
  return [doubtful(NAME, `${detail}: ${seen}`, FIX_UNSEEN)];
}

const WITHOUT = 'the portal speaks http only, and phones find it by redirect';

/** What makes a phone refuse it, if anything. */
function faultOf(certText: string, keyText: string, host: string, nowS: number): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certText);
    if (!certificate.checkPrivateKey(createPrivateKey(keyText))) return 'does not belong to portal.tls_key';
  } catch {
    return 'or its key is not PEM';
  }
  const { validFromDate, validToDate } = certificate;
  const text = (date: Date): string => utcText(BigInt(Math.floor(date.getTime() / 1000)));
  if (nowS * 1000 > validToDate.getTime()) return `has been out of date since ${text(validToDate)} UTC`;
  if (nowS * 1000 < validFromDate.getTime()) return `is good from ${text(validFromDate)} UTC only; is the clock right?`;
  if (certificate.checkHost(host) === undefined) return `is not for ${host} (portal.host)`;
  return undefined;
}
