package dev.outbox.histories;

/**
 * The text of a message: who wrote it as his how manieth, what the publisher is to do with it, and, to make it long, padding.
 *
 * @param number of milliseconds or attempts, as the conduct says
 * @param padding so many characters
 */
record Text(int writer, int sequence, Conduct conduct, int number, int padding) {
    static Text parse(String payload) {
        int end = payload.indexOf('\n');
        String[] words = (end < 0 ? payload : payload.substring(0, end)).split(":", -1);
        Text text = new Text(
                Integer.parseInt(words[0]),
                Integer.parseInt(words[1]),
                Conduct.valueOf(words[2]),
                Integer.parseInt(words[3]),
                Integer.parseInt(words[4]));
        if (!text.payload().equals(payload)) {
            throw new IllegalArgumentException("not as it was written: " + words[0] + ":" + words[1]);
        }
        return text;
    }

    /** What it is called in logs. */
    String name() {
        return writer + ":" + sequence;
    }

    String payload() {
        String head = writer + ":" + sequence + ":" + conduct + ":" + number + ":" + padding;
        return padding == 0
                ? head
                : head + "\n" + Character.toString('a' + sequence % 26).repeat(padding);
    }
}
