package dev.outbox.benchmarks;

/** What waits in an outbox, and is filled up again only when there is less than there should be. */
final class Backlog {
    /** The number of rounds for which it is filled, because filling takes longer than draining. */
    private static final int ROUNDS = 3;

    private final Backend backend;
    private Load load;
    private int left = -1;
    private int everTaken;

    /** @param load what there should be at least, before every round */
    Backlog(Backend backend, Load load) {
        this.backend = backend;
        this.load = load;
    }

    /** Of nothing but what a round works on. */
    static Backlog of(Backend backend) {
        return new Backlog(backend, Load.of(0));
    }

    Backend backend() {
        return backend;
    }

    Load load() {
        return load;
    }

    /** Makes sure that this number can be taken, and that at least the load is there. */
    void ensure(int messages) throws Exception {
        if (left < 0) {
            backend.clear();
            left = 0;
        }
        if (left < Math.max(messages, load.messages())) {
            int wanted = load.messages() + ROUNDS * messages;
            backend.add(load.ofMessages(wanted - left));
            left = wanted;
        }
    }

    void taken(int messages) {
        left -= messages;
        everTaken += messages;
    }

    /**
     * Fills it with this number of messages, and with the spare ones, so that it need not be filled before every round.
     */
    void grow(int messages, int spare) throws Exception {
        if (left < 0) {
            backend.clear();
            left = 0;
        }
        backend.add(load.ofMessages(Math.max(0, messages + spare - left)));
        left = Math.max(left, messages + spare);
        load = load.ofMessages(messages);
    }

    /** How many were taken out of it in all. */
    int everTaken() {
        return everTaken;
    }
}
