/**
 * Certificates that the host trusts beside Node's own list.
 *
 * Node reads `NODE_EXTRA_CA_CERTS` when it starts, and its own list with them, which takes longer than a call
 * of a function. So the engine keeps the variable from the process of a call, and they are read when the
 * first secure connection is made.
 */

import { existsSync, readFileSync } from "node:fs"
import { syncBuiltinESMExports } from "node:module"

/** Where the engine puts what the host trusts, if that is anything but the usual. */
const HOST = "/run/nsci/ca-certificates.crt"

/** What the image says, under the name that the engine gives it. */
const IMAGE = "NSCI_IMAGE_CA_CERTS"

interface Native {
  addCACert(certificate: string): void
}

/** Trusts them from now on, here and in processes that are started. */
export async function trustExtra(): Promise<void> {
  const { env } = process
  if (env["NODE_EXTRA_CA_CERTS"] !== "") {
    return
  }
  const named = env[IMAGE] ?? ""
  const file = named !== "" ? named : existsSync(HOST) ? HOST : undefined
  Reflect.deleteProperty(env, IMAGE)
  if (file === undefined) {
    Reflect.deleteProperty(env, "NODE_EXTRA_CA_CERTS")
    return
  }
  env["NODE_EXTRA_CA_CERTS"] = file
  const { default: tls } = await import("node:tls")
  const make = tls.createSecureContext
  let extra: string[] | undefined
  tls.createSecureContext = (options) => {
    const context = make(options)
    if (options?.ca === undefined) {
      extra ??= unknown(file, tls.rootCertificates)
      for (const certificate of extra) {
        ;(context.context as Native).addCACert(certificate)
      }
    }
    return context
  }
  syncBuiltinESMExports()
}

/** The certificates of a file that are not in Node's list. */
function unknown(file: string, known: readonly string[]): string[] {
  let text = ""
  try {
    text = readFileSync(file, "utf8")
  } catch (error) {
    console.error(`warning: NODE_EXTRA_CA_CERTS is ignored: ${String(error)}`)
  }
  const own = new Set(known.map(packed))
  const all = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return all.filter((certificate) => !own.has(packed(certificate)))
}

function packed(certificate: string): string {
  return certificate.replace(/\s/g, "")
}
