import { type Draft, KINDS } from '@tillwire/stock'

/** A kind that no server of this version knows; undefined where it does. */
export function wrongKind({ kind }: { readonly kind: unknown }): string | undefined {
  return KINDS.includes(kind as string) ? undefined : `kind must be one of ${KINDS.join(', ')}, not ${JSON.stringify(kind)}`
}

/** A policy by which less is ordered up to than is left when it orders. */
export function policyNonsense({
  reorderPoint,
  orderUpTo,
}: Pick<Extract<Draft, { kind: 'policy' }>, 'reorderPoint' | 'orderUpTo'>): string | undefined {
  if (reorderPoint === undefined || orderUpTo === undefined || orderUpTo >= reorderPoint) return undefined
  return `orderUpTo ${orderUpTo} is below reorderPoint ${reorderPoint}`
}
