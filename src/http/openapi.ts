import { describeRoutes } from './describe-routes.ts';
import { routes } from './routes.ts';

/** The web interface as an OpenAPI 3.1 document. */
export function openApiDocument(version: string): object {
  return describeRoutes(routes, version);
}
