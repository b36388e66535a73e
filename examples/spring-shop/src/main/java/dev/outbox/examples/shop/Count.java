package dev.outbox.examples.shop;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What became of the orders.
 *
 * @param committed orders that the shop has
 * @param published different messages of which Kafka has a copy
 * @param duplicated messages that were sent before the kill and after it
 * @param billed orders that were billed once
 * @param lost orders that the shop has, or has said that it has, without a message or a bill
 * @param phantom messages and bills of orders that the shop does not have
 * @param twice orders with two messages or two bills
 * @param unexplained messages that came twice for no reason
 * @param outOfOrder messages that came before an earlier one of the same customer
 */
record Count(
        int committed,
        int published,
        int duplicated,
        int billed,
        int lost,
        int phantom,
        int twice,
        int unexplained,
        int outOfOrder) {
    /**
     * Counts.
     *
     * @param accepted numbers of the orders that the shop has said yes to; those of one customer in rising order
     * @param committed numbers of the orders that are in the shop's database
     * @param copies what Kafka has
     * @param bills numbers of the orders that were billed, each as often as it was
     * @param killed when the shop was killed
     */
    static Count of(
            Collection<String> accepted,
            Set<String> committed,
            List<Consumed> copies,
            List<String> bills,
            long killed) {
        Map<String, Consumed> first = new HashMap<>();
        Map<String, String> newest = new HashMap<>();
        Set<String> duplicated = new HashSet<>();
        Set<String> published = new HashSet<>();
        int unexplained = 0;
        int outOfOrder = 0;
        int twice = 0;
        for (Consumed copy : copies) {
            Consumed earlier = first.putIfAbsent(copy.id(), copy);
            if (earlier == null) {
                twice += published.add(copy.number()) ? 0 : 1;
                String before = newest.put(copy.customer(), copy.number());
                outOfOrder += before != null && before.compareTo(copy.number()) > 0 ? 1 : 0;
            } else if (!duplicated.add(copy.id()) || earlier.millis() > killed || copy.millis() < killed) {
                unexplained++;
            }
        }
        Set<String> billed = new HashSet<>(bills);
        twice += bills.size() - billed.size();
        Set<String> expected = new HashSet<>(committed);
        expected.addAll(accepted);
        Set<String> arrived = new HashSet<>(published);
        arrived.addAll(billed);
        return new Count(
                committed.size(),
                first.size(),
                duplicated.size(),
                billed.size(),
                (int) expected.stream()
                        .filter(number ->
                                !committed.contains(number) || !published.contains(number) || !billed.contains(number))
                        .count(),
                (int) arrived.stream()
                        .filter(number -> !committed.contains(number))
                        .count(),
                twice,
                unexplained,
                outOfOrder);
    }

    boolean isGood() {
        return committed > 0 && lost == 0 && phantom == 0 && twice == 0 && unexplained == 0 && outOfOrder == 0;
    }

    @Override
    public String toString() {
        return "committed=" + committed + " published=" + published + " duplicated=" + duplicated + " billed=" + billed
                + " lost=" + lost + " phantom=" + phantom + " twice=" + twice + " unexplained=" + unexplained
                + " out_of_order=" + outOfOrder;
    }
}
