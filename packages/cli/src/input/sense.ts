import { type Draft, KINDS } from '@tillwire/stock'

/** What the server would refuse, or take and nobody can have meant; undefined where there is nothing. */
export function nonsense(draft: Draft): string | undefined {
  const { kind } = draft as { readonly kind: unknown }
  if (!KINDS.includes(kind as string)) return `kind must be one of ${KINDS.join(', ')}, not ${JSON.stringify(kind)}`
  return draft.kind === 'policy' ? policyNonsense(draft) : undefined
}

/** A policy by which an item is never ordered. */
export function policyNonsense({
  reorderPoint,
  orderUpTo,
}: {
  readonly reorderPoint?: number
  readonly orderUpTo?: number
}): string | undefined {
  if (reorderPoint === undefined || orderUpTo === undefined || orderUpTo >= reorderPoint) return undefined
  return `orderUpTo ${orderUpTo} is below reorderPoint ${reorderPoint}`
}
