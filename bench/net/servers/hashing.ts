import { hash } from 'node:crypto'
import { lines, type Service } from '@tillwire/net'

const HASHES = 200

/** An echo that works for its answer, so that the server is the limit and not the load. */
const hashing: Service<string> = {
  name: 'hashing',
  framing: lines(),
  message: (text) => {
    let digest = text
    for (let times = 0; times < HASHES; times++) digest = hash('sha256', digest)
    return digest === '' ? undefined : text
  },
}

export default hashing
