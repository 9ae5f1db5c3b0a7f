import { Channel, type PublicationSpec } from '../model/publication.js';
import { AnalyticsPublication } from './analytics-publication.js';
import { BookPublication } from './book-publication.js';
import type { Publication, PublicationParts } from './publication.js';

/** The publication of a channel. */
export function openPublication(id: number, spec: PublicationSpec, parts: PublicationParts): Publication {
  return spec.channel === Channel.ANALYTICS ? new AnalyticsPublication(id, spec, parts) : new BookPublication(id, spec, parts);
}
