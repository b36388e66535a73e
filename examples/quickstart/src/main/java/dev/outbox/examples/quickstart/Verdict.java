package dev.outbox.examples.quickstart;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What became of the orders, counted from the shop's table and the broker's file alone.
 *
 * @param orders how many were tried
 * @param committed how many are in the table
 * @param rolledBack how many were tried and are not
 * @param published how many different messages were delivered
 * @param duplicated how many deliveries there were beyond the first of each message
 * @param lost committed orders whose message never came
 * @param phantom messages of no committed order
 * @param outOfOrder messages that first came after a later one of the same customer
 */
record Verdict(
        int orders,
        int committed,
        int rolledBack,
        int published,
        int duplicated,
        int lost,
        int phantom,
        int outOfOrder) {

    /**
     * Counts.
     *
     * @param tried numbers of the orders that were tried
     * @param rows the shop's table, the orders of each customer in the order of their commits
     * @param deliveries the broker's file, in the order of arrival
     */
    static Verdict of(Set<String> tried, List<Committed> rows, List<Delivered> deliveries) {
        Map<String, Integer> positions = new HashMap<>();
        Set<String> committed = new HashSet<>();
        for (int i = 0; i < rows.size(); i++) {
            positions.put(rows.get(i).messageId(), i);
            committed.add(rows.get(i).orderNumber());
        }
        Set<String> arrived = new HashSet<>();
        Set<Integer> found = new HashSet<>();
        Map<String, Integer> latest = new HashMap<>();
        int phantom = 0;
        int outOfOrder = 0;
        for (Delivered delivery : deliveries) {
            if (!arrived.add(delivery.messageId())) {
                continue;
            }
            Integer position = positions.get(delivery.messageId());
            if (position == null || !isOf(rows.get(position), delivery)) {
                phantom++;
                continue;
            }
            found.add(position);
            @Nullable Integer before = latest.get(delivery.key());
            if (before != null && before > position) {
                outOfOrder++;
            } else {
                latest.put(delivery.key(), position);
            }
        }
        return new Verdict(
                tried.size(),
                rows.size(),
                (int) tried.stream()
                        .filter(number -> !committed.contains(number))
                        .count(),
                arrived.size(),
                deliveries.size() - arrived.size(),
                rows.size() - found.size(),
                phantom,
                outOfOrder);
    }

    private static boolean isOf(Committed row, Delivered delivery) {
        return row.orderNumber().equals(delivery.orderNumber())
                && row.customer().equals(delivery.key());
    }

    boolean isGood() {
        return lost == 0 && phantom == 0 && outOfOrder == 0;
    }

    @Override
    public String toString() {
        return "orders=" + orders + " committed=" + committed + " rolled_back=" + rolledBack + " published=" + published
                + " duplicated=" + duplicated + " lost=" + lost + " phantom=" + phantom + " out_of_order=" + outOfOrder;
    }
}
