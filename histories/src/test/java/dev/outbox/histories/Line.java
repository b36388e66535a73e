package dev.outbox.histories;

import java.util.Arrays;
import java.util.List;

/**
 * One line of the log of a history: when it was, a letter that says what it is, and fields between tabs.
 *
 * <pre>
 * T writer number outcome messages                   a transaction ended; messages as {@link Sent} writes them, between blanks
 * S relay pid                                        a relay has opened its store
 * P relay pid topic partition id text attempt        a publisher was handed a message
 * D relay pid id outcome                             it is done with it; see {@link Handed.End}
 * R relay pid id                                     the relay counts a failed attempt
 * L relay pid id                                     the relay gives the message up
 * X relay pid step error                             the store failed the relay
 * E relay pid workers leaked                         the relay has stopped as it was told
 * F number scope begin|end seconds name              a fault; see {@link Trouble}
 * Z                                                  nothing is waited for any more
 * </pre>
 *
 * @param time of {@link System#nanoTime}, which processes of one machine share, and which goes on when clocks are moved
 */
record Line(long time, char kind, List<String> fields) {
    static Line parse(String text) {
        List<String> words = List.of(text.split("\t", -1));
        if (words.size() < 2 || words.get(1).length() != 1) {
            throw new IllegalStateException("Not a line of a history: '" + text + "'");
        }
        return new Line(Long.parseLong(words.get(0)), words.get(1).charAt(0), words.subList(2, words.size()));
    }

    static Line now(char kind, Object... fields) {
        return at(System.nanoTime(), kind, fields);
    }

    static Line at(long time, char kind, Object... fields) {
        // Whatever a driver says has to fit into one line.
        return new Line(
                time,
                kind,
                Arrays.stream(fields)
                        .map(field -> String.valueOf(field).replaceAll("[\t\r\n]+", " "))
                        .toList());
    }

    String field(int index) {
        return fields.get(index);
    }

    int number(int index) {
        return Integer.parseInt(field(index));
    }

    @Override
    public String toString() {
        return time + "\t" + kind + "\t" + String.join("\t", fields);
    }
}
