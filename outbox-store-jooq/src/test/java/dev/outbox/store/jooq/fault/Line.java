package dev.outbox.store.jooq.fault;

import java.util.List;

/**
 * One line of the log of a history: a letter that says what it is, and fields between tabs.
 *
 * <pre>
 * T writer number outcome messages     a transaction ended; messages are partition:sequence:id between commas
 * D relay topic partition id text      a message was delivered
 * H relay partition text               a publisher stands still with this message in hand
 * X relay step error duration          the store failed a relay
 * S relay pid                          a relay has opened its store
 * E relay                              a relay has stopped as it was told
 * F fault                              what the test is about to do
 * K fault                              the same, if it may leave transactions half done
 * </pre>
 */
record Line(char kind, List<String> fields) {
    static Line parse(String text) {
        List<String> words = List.of(text.split("\t", -1));
        if (words.get(0).length() != 1) {
            throw new IllegalStateException("Not a line of a history: '" + text + "'");
        }
        return new Line(words.get(0).charAt(0), words.subList(1, words.size()));
    }

    static Line of(char kind, Object... fields) {
        // Whatever a driver says has to fit into one line.
        return new Line(
                kind,
                java.util.Arrays.stream(fields)
                        .map(field -> String.valueOf(field).replaceAll("[\t\r\n]+", " "))
                        .toList());
    }

    String field(int index) {
        return fields.get(index);
    }

    boolean is(char other, String first) {
        return kind == other && field(0).equals(first);
    }

    @Override
    public String toString() {
        return kind + "\t" + String.join("\t", fields);
    }
}
