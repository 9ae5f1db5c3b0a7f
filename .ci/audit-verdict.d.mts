export function auditVerdict(text: string): { readonly kind: 'clean' | 'vulnerable' | 'not-done'; readonly text: string };
