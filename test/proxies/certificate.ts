import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'

/** A certificate for 127.0.0.1 that nobody else has signed; files as nginx and as HAProxy want them. */
export class Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** Both in one. */
  readonly pemFile: string
  readonly #folder: string

  /** @param folder where the files are made */
  constructor(folder: string) {
    this.#folder = folder
    this.certFile = join(folder, 'ws.crt')
    this.keyFile = join(folder, 'ws.key')
    this.pemFile = join(folder, 'ws.pem')
    this.renew('first')
  }

  /** What a client trusts. */
  get ca(): string {
    return readFileSync(this.certFile, 'utf8')
  }

  /** Takes the place of the files. @param name its common name */
  renew(name: string): void {
    const kind = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -addext subjectAltName=IP:127.0.0.1'
    const files = ['-subj', `/CN=${name}`, '-keyout', 'new.key', '-out', 'new.crt']
    execFileSync('openssl', ['req', '-x509', ...kind.split(' '), ...files], { cwd: this.#folder, stdio: 'ignore' })
    const texts = ['new.crt', 'new.key'].map((file) => readFileSync(join(this.#folder, file), 'utf8'))
    writeFileSync(join(this.#folder, 'new.pem'), texts.join(''))
    renameSync(join(this.#folder, 'new.crt'), this.certFile)
    renameSync(join(this.#folder, 'new.key'), this.keyFile)
    renameSync(join(this.#folder, 'new.pem'), this.pemFile)
  }
}

/** The common name of the certificate that a new connection is shown. */
export function nameShown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
