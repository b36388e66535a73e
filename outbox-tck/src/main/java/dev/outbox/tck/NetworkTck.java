package dev.outbox.tck;

/**
 * The tests of {@link StoreTck}, and those of level 4, for a store whose backend listens on a TCP port. If the
 * harness is a {@link KillableServerHarness}, those of level 5 are run, too. If it is a {@link FailoverHarness}, those
 * of level 6 are run as well:
 *
 * <pre>{@code
 * class MyStoreTest extends NetworkTck {
 *     @Override
 *     public NetworkHarness harness() {
 *         return new MyHarness();
 *     }
 * }
 * }</pre>
 */
@SuppressWarnings("exports") // what the tests are made of is nobody's to use
public abstract class NetworkTck extends StoreTck implements NetworkRules, ServerRules, FailoverRules {
    /** For subclasses. JUnit makes an instance for each test. */
    protected NetworkTck() {}

    /** The harness of the store to test. The suite asks for it once per test. */
    @Override
    public abstract NetworkHarness harness();
}
