package dev.outbox.tck;

/** Something that must happen did not happen while the test waited for it. */
final class NotInTime extends AssertionError {
    private static final long serialVersionUID = 1L;

    NotInTime(String what) {
        super(what);
    }
}
