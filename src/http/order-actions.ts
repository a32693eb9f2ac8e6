import { SwfError } from '../platform/errors.ts';
import { type OrderView, listOrders } from '../store/read-orders.ts';
import type { Department } from '../transactions/department.ts';
import { placeOrder } from '../transactions/department-orders.ts';
import { departmentOrder, newOrder } from './bodies.ts';
import { type Route, route } from './route.ts';
import { order } from './schemas.ts';

async function orderWith(department: Department, accessionNumber: string): Promise<OrderView> {
  const { items } = await listOrders(department.store, { accessionNumber }, { limit: 1, after: undefined });
  if (items[0]) return items[0];
  throw new SwfError('internal', 'the order was placed and cannot be read: GET /api/orders lists it');
}

/** An order that was placed now. It has no placer order number by which it could be asked for. */
export async function orderPlaced(department: Department, accessionNumber: string) {
  const location = `/api/orders?accessionNumber=${encodeURIComponent(accessionNumber)}`;
  return { json: await orderWith(department, accessionNumber), location };
}

/** Orders that the department places itself. */
export const orderActionRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/orders',
    summary: 'An order of the department (RAD-3 SN). The order placer gives it its placer order number.',
    body: { name: 'NewOrder', schema: newOrder },
    reason: true,
    response: { name: 'Order', schema: order },
    status: 201,
    problems: [404, 409],
    act: ({ department }, { body, actor }) => placeOrder(department, departmentOrder(body), actor),
    answer: ({ department }, _, { accessionNumber }) => orderPlaced(department, accessionNumber),
  }),
];
