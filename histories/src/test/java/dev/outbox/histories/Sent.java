package dev.outbox.histories;

import java.util.Arrays;
import java.util.List;

/**
 * A message as its writer knows it.
 *
 * @param text what {@link Text#name} says
 * @param kept false if it was undone by a savepoint
 * @param began when it was about to be written
 */
record Sent(String topic, int partition, String text, String id, boolean kept, long began) {
    static List<Sent> parse(String fields) {
        return fields.isEmpty()
                ? List.of()
                : Arrays.stream(fields.split(" ", -1))
                        .map(field -> field.split("/", -1))
                        .map(parts -> new Sent(
                                parts[0],
                                Integer.parseInt(parts[1]),
                                parts[2],
                                parts[3],
                                Boolean.parseBoolean(parts[4]),
                                Long.parseLong(parts[5])))
                        .toList();
    }

    Sent undone() {
        return new Sent(topic, partition, text, id, false, began);
    }

    String place() {
        return topic + "/" + partition;
    }

    @Override
    public String toString() {
        return topic + "/" + partition + "/" + text + "/" + id + "/" + kept + "/" + began;
    }
}
