import { z } from 'zod';
import { findOrders, listOrders } from '../store/read-orders.ts';
import { ProblemError } from './problem.ts';
import { type Route, listOf, optional, paging, route, text } from './route.ts';
import { order, orderStatus } from './schemas.ts';

/** Orders and where each stands. */
export const orderRoutes: readonly Route[] = [
  route({
    path: '/api/orders',
    summary: 'Orders and their status, newest first.',
    query: z.strictObject({
      placerOrderNumber: optional(text),
      issuer: optional(text).describe('ORC-2.2, else MSH-3'),
      accessionNumber: optional(text),
      patientId: optional(text).describe('Any identifier value of the patient'),
      orderStatus: optional(orderStatus),
      ...paging,
    }),
    response: { name: 'OrderList', schema: listOf(order) },
    answer: async ({ department }, { query }) => {
      const { limit, after, issuer, ...filter } = query;
      return { json: await listOrders(department.store, { ...filter, placerOrderIssuer: issuer }, { limit, after }) };
    },
  }),
  route({
    path: '/api/orders/{placerOrderNumber}',
    summary: 'One order. Issuers number their orders independently: where two gave this number, name one.',
    params: z.strictObject({ placerOrderNumber: text.describe('ORC-2.1') }),
    query: z.strictObject({ issuer: optional(text).describe('ORC-2.2, else MSH-3') }),
    response: { name: 'Order', schema: order },
    problems: [404, 409],
    answer: async ({ department }, { params, query }) => {
      const [found, ...others] = await findOrders(department.store, params.placerOrderNumber, query.issuer);
      if (!found) throw new ProblemError('unknown-key', 'no order has this placer order number (ORC-2)');
      if (others.length === 0) return { json: found };
      const issuers = [found, ...others].map((one) => one.placerOrderIssuer);
      const detail = `${issuers.length} issuers gave this placer order number: choose one with ?issuer=`;
      throw new ProblemError('ambiguous-key', detail, { issuers });
    },
  }),
];
