package stage;

import com.google.gson.Gson;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** What a program demands, and how it reports: one JSON line for the library, and one per check. */
public final class Checks {
    /** The platform's own encoding need not be UTF-8. */
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final Gson GSON = new Gson();
    private static final int EVERY_MS = 20;

    private Checks() {}

    public interface Check {
        void run() throws Exception;
    }

    /**
     * @param name of its artifact; its file is NAME-VERSION.jar, so that the version is that of what was really loaded
     * @param ofIt any class of it
     */
    public static void reportLibrary(String name, Class<?> ofIt) {
        String jar = ofIt.getProtectionDomain().getCodeSource().getLocation().getPath();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("library", name);
        line.put("version", jar.replaceAll(".*" + name + "-(.*)\\.jar$", "$1"));
        OUT.println(GSON.toJson(line));
    }

    public static void check(String name, Check check) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("check", name);
        try {
            check.run();
            line.put("ok", true);
        } catch (Throwable problem) {
            problem.printStackTrace();
            line.put("ok", false);
            line.put("detail", String.valueOf(problem.getMessage() == null ? problem : problem.getMessage()));
        }
        OUT.println(GSON.toJson(line));
    }

    public static void equal(Object wanted, Object seen) {
        expect(wanted.equals(seen), String.valueOf(wanted), seen);
    }

    public static void expect(boolean holds, String wanted, Object seen) {
        if (!holds) {
            throw new AssertionError("wanted " + wanted + ", saw " + seen);
        }
    }

    /** @param seen printed when the time is over, as it is then */
    public static void until(String wanted, int deadlineMs, BooleanSupplier holds, Object seen) throws Exception {
        long end = System.currentTimeMillis() + deadlineMs;
        while (!holds.getAsBoolean()) {
            expect(System.currentTimeMillis() < end, wanted, seen);
            Thread.sleep(EVERY_MS);
        }
    }
}
