package dev.outbox.benchmarks;

/** Something that is measured, which can be named on the command line. */
interface Part {
    void measure(Run run) throws Exception;
}
