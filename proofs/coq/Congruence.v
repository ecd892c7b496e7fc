(** * When A+ and A- are congruent

    For r, z1, z2 <> 0 and an axis atom that no isometry can exchange with a ring atom, A+ and A- are related by a
    rotation iff the ring is achiral, and by an improper isometry iff the ring is unchanged by the turn 2 psi.
    For z1 = 0 they are related by a rotation iff both rings together are achiral, and always by the reflection
    z -> -z.

    Idea.  An isometry from A+ to A- maps the axis atom to the axis atom, so it maps e3 to -e3.  A rotation
    that does so is a half turn about a horizontal axis, an improper one is a turn followed by z -> -z.  The
    height tells the two rings apart, so it must map U to L and L to U, which is a statement about angles. *)

Require Import Reals Lra List Permutation Lia.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums TwoRings.
Open Scope R_scope.

(** ** Generalities *)

Lemma filter_permutation {A} (p : A -> bool) l m :
  Permutation l m -> Permutation (filter p l) (filter p m).
Proof.
  induction 1; simpl; trivial.
  - destruct (p x); [constructor|]; trivial.
  - destruct (p x), (p y); try reflexivity. apply perm_swap.
  - etransitivity; eauto.
Qed.

Lemma filter_all {A} (p : A -> bool) l : (forall x, In x l -> p x = true) -> filter p l = l.
Proof. induction l; simpl; intro H; trivial. rewrite H, IHl; auto. Qed.

Lemma filter_none {A} (p : A -> bool) l : (forall x, In x l -> p x = false) -> filter p l = [].
Proof. induction l; simpl; intro H; trivial. rewrite H, IHl; auto. Qed.

Lemma unit_angle a b : a * a + b * b = 1 -> exists t, cos t = a /\ sin t = b.
Proof.
  intro H. pose proof (Rle_0_sqr a) as Pa; pose proof (Rle_0_sqr b) as Pb; unfold Rsqr in *.
  assert (B : -1 <= a <= 1) by nra.
  assert (S : sqrt (1 - a²) = Rabs b).
  { rewrite <- sqrt_Rsqr_abs. f_equal. unfold Rsqr. lra. }
  destruct (Rle_dec 0 b) as [P|N].
  - exists (acos a). rewrite cos_acos, sin_acos, S, Rabs_right by lra. auto.
  - exists (- acos a). rewrite cos_neg, sin_neg, cos_acos, sin_acos, S, Rabs_left by lra. split; lra.
Qed.

Lemma same_direction_iff p q : same_direction p q <-> exists k : Z, p = q + 2 * IZR k * PI.
Proof.
  split.
  - intros [C S]. assert (H : cos (p - q) = 1).
    { rewrite cos_minus, C, S. apply cos_sin_unit. }
    replace (p - q) with (2 * ((p - q) / 2)) in H by field. rewrite cos_2a_sin in H.
    assert (Z : sin ((p - q) / 2) = 0) by (apply Rsqr_0_uniq; unfold Rsqr; lra).
    apply sin_eq_0_0 in Z as [k Hk]. exists k. lra.
  - intros [k ->]. assert (S : sin (IZR k * PI) = 0) by (apply sin_eq_0_1; eauto).
    assert (C : cos (2 * (IZR k * PI)) = 1) by (rewrite cos_2a_sin, S; ring).
    assert (S2 : sin (2 * (IZR k * PI)) = 0) by (rewrite sin_2a, S; ring).
    split; replace (q + 2 * IZR k * PI) with (q + 2 * (IZR k * PI)) by ring;
      rewrite ?cos_plus, ?sin_plus, C, S2; ring.
Qed.

(** ** Rings as multisets of directions *)

Definition circle (p : R) : R * R := (cos p, sin p).
Definition same_ring (ps qs : list R) := Permutation (map circle ps) (map circle qs).

(** Some reflection of the circle maps the ring to itself. *)
Definition achiral (ps : list R) := exists a, same_ring (map (fun p => a - p) ps) ps.

(** The turn by [a] maps the ring to itself. *)
Definition symmetric_under (a : R) (ps : list R) := same_ring (map (Rplus a) ps) ps.

Lemma same_ring_shift a ps qs : same_ring ps qs -> same_ring (map (Rplus a) ps) (map (Rplus a) qs).
Proof.
  unfold same_ring; intro H. rewrite !map_map.
  set (turn := fun d : R * R => (cos a * fst d - sin a * snd d, sin a * fst d + cos a * snd d)).
  assert (E : forall l, map (fun p => circle (a + p)) l = map turn (map circle l)).
  { intro l. rewrite map_map. apply map_ext; intro p. unfold circle, turn; simpl.
    rewrite cos_plus, sin_plus. reflexivity. }
  rewrite !E. apply Permutation_map, H.
Qed.

Lemma same_ring_trans ps qs rs : same_ring ps qs -> same_ring qs rs -> same_ring ps rs.
Proof. apply perm_trans. Qed.

Lemma same_ring_sym ps qs : same_ring ps qs -> same_ring qs ps.
Proof. apply Permutation_sym. Qed.

Lemma map_shift_shift a b ps : map (Rplus a) (map (Rplus b) ps) = map (Rplus (a + b)) ps.
Proof. rewrite map_map. apply map_ext; intros; ring. Qed.

Lemma map_shift_zero ps : map (Rplus 0) ps = ps.
Proof. rewrite <- (map_id ps) at 2. apply map_ext; intros; ring. Qed.

Lemma same_ring_unshift a ps qs : same_ring (map (Rplus a) ps) (map (Rplus a) qs) -> same_ring ps qs.
Proof.
  intro H. apply (same_ring_shift (- a)) in H. rewrite !map_shift_shift in H.
  replace (- a + a) with 0 in H by ring. rewrite !map_shift_zero in H. exact H.
Qed.

(** ** Isometries that map e3 to -e3 *)

Lemma flips_axis M :
  orthogonal M -> app M (V 0 0 1) = V 0 0 (-1) ->
  exists a b c d, M = Mat (V a b 0) (V c d 0) (V 0 0 (-1)) /\
    a * a + c * c = 1 /\ b * b + d * d = 1.
Proof.
  intros O H.
  assert (T : app (transpose M) (V 0 0 1) = V 0 0 (-1)).
  { assert (E : app (transpose M) (V 0 0 (-1)) = V 0 0 1) by (rewrite <- H; apply orthogonal_inverse, O).
    transitivity (scale (-1) (app (transpose M) (V 0 0 (-1)))).
    - rewrite <- app_scale. f_equal. apply vec_eq; simpl; ring.
    - rewrite E. apply vec_eq; simpl; ring. }
  destruct M as [[a b x] [c d y] [e f g]]. unfold app, dot in H, T; simpl in H, T.
  injection H as H1 H2 H3. injection T as T1 T2 T3.
  assert (x = 0) by lra. assert (y = 0) by lra. assert (g = -1) by lra.
  assert (e = 0) by lra. assert (f = 0) by lra. subst.
  exists a, b, c, d. split; trivial.
  unfold orthogonal, mul, transpose, app, identity, dot in O; simpl in O.
  injection O as O1 O2 O3 O4 O5 O6 O7 O8 O9. split; lra.
Qed.

Lemma rotation_flipping_axis M :
  rotation M -> app M (V 0 0 1) = V 0 0 (-1) -> exists t, M = half_turn t.
Proof.
  intros [O D] H. destruct (flips_axis M O H) as (a & b & c & d & -> & H1 & H2).
  unfold mdet, det, dot, cross in D; simpl in D.
  assert (E : (a + d) * (a + d) + (b - c) * (b - c) = 0) by lra.
  apply Rplus_sqr_eq_0 in E as [E1 E2].
  destruct (unit_angle a b) as (t & C & S); [replace b with c by lra; exact H1|].
  exists t. unfold half_turn. rewrite C, S. replace c with b by lra. replace d with (- a) by lra. reflexivity.
Qed.

Lemma improper_flipping_axis M :
  improper M -> app M (V 0 0 1) = V 0 0 (-1) -> exists t, M = mul (rot_z t) reflect_z.
Proof.
  intros [O D] H. destruct (flips_axis M O H) as (a & b & c & d & -> & H1 & H2).
  unfold mdet, det, dot, cross in D; simpl in D.
  assert (E : (a - d) * (a - d) + (b + c) * (b + c) = 0) by lra.
  apply Rplus_sqr_eq_0 in E as [E1 E2].
  destruct (unit_angle a c H1) as (t & C & S).
  exists t. apply mat_eq; apply vec_eq; unfold rot_z, mul, app, transpose, reflect_z, dot; simpl; lra.
Qed.

(** ** Congruence of the pair *)

Section Pair.
Context {label : Type}.
Variables (ring_label axis_label : label) (r z1 z2 psi : R) (angles : list R).

Notation atom := (@atom label).

Let plus := two_rings ring_label r z1 psi angles [(axis_label, z2)].
Let minus := two_rings ring_label r z1 psi angles [(axis_label, - z2)].
Let up := upper ring_label r z1.
Let low := lower ring_label r z1 psi.

Hypothesis radius : r <> 0.
Hypothesis height : z2 <> 0.
Hypothesis distinguishable : axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1.

(** Ring atoms have the wrong label or the wrong distance to be the image of the axis atom. *)
Lemma isometry_flips_axis M :
  orthogonal M -> Permutation (map (move M) plus) minus -> app M (V 0 0 1) = V 0 0 (-1).
Proof.
  intros O P.
  assert (I : In (axis_label, app M (V 0 0 z2)) minus).
  { apply (Permutation_in _ P). apply (in_map (move M) plus (axis_label, V 0 0 z2)).
    unfold plus, two_rings. rewrite !in_app_iff. right; right; left; reflexivity. }
  assert (N : forall v, (axis_label, app M (V 0 0 z2)) = (ring_label, v) ->
              dot v v = r * r + z1 * z1 -> False).
  { intros v E Dv. injection E as L E. subst v. rewrite orthogonal_dot in Dv by trivial.
    unfold dot in Dv; simpl in Dv. destruct distinguishable as [D|D]; [exact (D L) | lra]. }
  unfold minus, two_rings in I. rewrite !in_app_iff in I. destruct I as [I|[I|I]].
  - apply in_map_iff in I as (p & E & _). exfalso. apply (N _ (eq_sym E)).
    unfold dot; simpl. pose proof (cos_sin_unit p). nra.
  - apply in_map_iff in I as (p & E & _). exfalso. apply (N _ (eq_sym E)).
    unfold dot; simpl. pose proof (cos_sin_unit (p + psi)). nra.
  - destruct I as [I|[]]. apply (f_equal snd) in I. cbn [snd axis] in I.
    assert (E : app M (V 0 0 z2) = scale z2 (app M (V 0 0 1))).
    { rewrite <- app_scale. f_equal. apply vec_eq; simpl; ring. }
    rewrite <- I in E. injection E as E1 E2 E3. apply vec_eq; simpl in *; apply (Rmult_eq_reg_l z2); lra.
Qed.

Lemma same_rings_of_isometry M :
  app M (V 0 0 z2) = V 0 0 (- z2) ->
  Permutation (map (move M) plus) minus <->
  Permutation (map (move M) (map up angles ++ map low angles)) (map up angles ++ map low angles).
Proof.
  intro H. unfold plus, minus, two_rings. rewrite !app_assoc, map_app. simpl.
  unfold move at 2, axis; simpl. unfold app in H |- *. rewrite H. split; intro P.
  - apply Permutation_app_inv_r in P. exact P.
  - apply Permutation_app_tail, P.
Qed.

(** The height separates the two rings when z1 <> 0. *)
Lemma rings_by_height M :
  z1 <> 0 -> (forall v, vz (app M v) = - vz v) ->
  Permutation (map (move M) (map up angles ++ map low angles)) (map up angles ++ map low angles) <->
  Permutation (map (move M) (map up angles)) (map low angles) /\
  Permutation (map (move M) (map low angles)) (map up angles).
Proof.
  intros Z H. split.
  - set (at_height := fun h (a : atom) => if Req_EM_T (vz (snd a)) h then true else false).
    assert (U : forall h, h = z1 -> forall x, In x (map up angles) -> at_height h x = true).
    { intros h -> x I. apply in_map_iff in I as (p & <- & _). unfold at_height; simpl.
      destruct (Req_EM_T z1 z1); congruence. }
    assert (U' : forall h, h = - z1 -> forall x, In x (map up angles) -> at_height h x = false).
    { intros h -> x I. apply in_map_iff in I as (p & <- & _). unfold at_height; simpl.
      destruct (Req_EM_T z1 (- z1)); trivial. lra. }
    assert (L : forall h, h = - z1 -> forall x, In x (map low angles) -> at_height h x = true).
    { intros h -> x I. apply in_map_iff in I as (p & <- & _). unfold at_height; simpl.
      destruct (Req_EM_T (- z1) (- z1)); congruence. }
    assert (L' : forall h, h = z1 -> forall x, In x (map low angles) -> at_height h x = false).
    { intros h -> x I. apply in_map_iff in I as (p & <- & _). unfold at_height; simpl.
      destruct (Req_EM_T (- z1) z1); trivial. lra. }
    assert (M_height : forall h a, at_height h (move M a) = at_height (- h) a).
    { intros h a. unfold at_height. change (snd (move M a)) with (app M (snd a)). rewrite H.
      destruct (Req_EM_T (- vz (snd a)) h), (Req_EM_T (vz (snd a)) (- h)); trivial; lra. }
    intro P.
    pose proof (filter_permutation (at_height (- z1)) _ _ P) as P1.
    pose proof (filter_permutation (at_height z1) _ _ P) as P2.
    rewrite map_app, !filter_app in P1, P2.
    assert (keep : forall h l, (forall x, In x l -> at_height (- h) x = true) ->
              filter (at_height h) (map (move M) l) = map (move M) l).
    { intros h l K. apply filter_all. intros x I. apply in_map_iff in I as (y & <- & Iy).
      rewrite M_height. auto. }
    assert (drop : forall h l, (forall x, In x l -> at_height (- h) x = false) ->
              filter (at_height h) (map (move M) l) = []).
    { intros h l K. apply filter_none. intros x I. apply in_map_iff in I as (y & <- & Iy).
      rewrite M_height. auto. }
    rewrite keep, drop in P1 by (first [apply U; ring | apply L'; ring]).
    rewrite (filter_none _ _ (U' _ eq_refl)), (filter_all _ _ (L _ eq_refl)), app_nil_r in P1.
    rewrite drop, keep in P2 by (first [apply U'; ring | apply L; ring]).
    rewrite (filter_all _ _ (U _ eq_refl)), (filter_none _ _ (L' _ eq_refl)), app_nil_r in P2.
    split; trivial.
  - intros [P1 P2]. rewrite map_app, P1, P2. apply Permutation_app_comm.
Qed.

(** A multiset of upper (or lower) atoms is a multiset of directions. *)
Definition direction (a : atom) : R * R := (vx (snd a) / r, vy (snd a) / r).

Lemma upper_ring ps qs : Permutation (map up ps) (map up qs) <-> same_ring ps qs.
Proof.
  split; intro H.
  - apply (Permutation_map direction) in H. rewrite !map_map in H. unfold same_ring.
    assert (E : forall p, direction (up p) = circle p).
    { intro p. unfold direction, circle; simpl. f_equal; field; trivial. }
    rewrite !(map_ext _ _ E) in H. exact H.
  - apply (Permutation_map (fun d => (ring_label, V (r * fst d) (r * snd d) z1))) in H.
    rewrite !map_map in H. exact H.
Qed.

Lemma lower_ring ps qs : Permutation (map low ps) (map low qs) <-> same_ring ps qs.
Proof.
  assert (E : forall l, map low l = map (fun a => (fst a, V (vx (snd a)) (vy (snd a)) (- z1)))
                                        (map up (map (Rplus psi) l))).
  { intro l. rewrite !map_map. apply map_ext; intro p. unfold low, lower, up, upper; simpl.
    rewrite (Rplus_comm p). reflexivity. }
  split; intro H.
  - apply (same_ring_unshift psi), upper_ring.
    apply (Permutation_map (fun a => (fst a, V (vx (snd a)) (vy (snd a)) z1))) in H.
    rewrite !E, !map_map in H. rewrite !map_map. exact H.
  - rewrite !E. apply Permutation_map, upper_ring, same_ring_shift, H.
Qed.

Lemma half_turn_exchanges t :
  map (move (half_turn t)) (map up angles) = map low (map (fun p => t - psi - p) angles) /\
  map (move (half_turn t)) (map low angles) = map up (map (fun p => t - psi - p) angles).
Proof.
  rewrite !map_map.
  split; apply map_ext; intro p; replace t with (t - psi + psi) at 1 by ring; unfold up, low.
  - apply half_turn_upper.
  - apply half_turn_lower.
Qed.

Lemma half_turn_flips t : app (half_turn t) (V 0 0 z2) = V 0 0 (- z2).
Proof. app_compute; ring. Qed.

(** ** The criterion for rotations *)

Theorem congruent_iff_achiral : z1 <> 0 -> congruent plus minus <-> achiral angles.
Proof.
  intro Z. split.
  - intros (M & RM & P). destruct (rotation_flipping_axis M RM) as [t ->].
    { apply isometry_flips_axis; [apply RM | exact P]. }
    apply (same_rings_of_isometry _ (half_turn_flips t)), rings_by_height in P as [P _]; trivial.
    + destruct (half_turn_exchanges t) as [E _]. rewrite E in P. exists (t - psi). apply lower_ring, P.
    + intro v. dots; ring.
  - intros [a H]. exists (half_turn (a + psi)). split; [apply half_turn_rotation|].
    apply (same_rings_of_isometry _ (half_turn_flips _)). destruct (half_turn_exchanges (a + psi)) as [E1 E2].
    rewrite map_app, E1, E2. replace (a + psi - psi) with a by ring.
    rewrite (proj2 (lower_ring _ _) H), (proj2 (upper_ring _ _) H). apply Permutation_app_comm.
Qed.

(** ** The criterion for improper isometries *)

Lemma turn_reflect_exchanges t :
  map (move (mul (rot_z t) reflect_z)) (map up angles) = map low (map (Rplus (t - psi)) angles) /\
  map (move (mul (rot_z t) reflect_z)) (map low angles) = map up (map (Rplus (t + psi)) angles).
Proof.
  rewrite !map_map. split; apply map_ext; intro p; unfold up, low, move, upper, lower; cbn [fst snd];
    f_equal; rewrite app_mul;
    [ replace (t - psi + p + psi) with (t + p) by ring
    | replace (t + psi + p) with (t + (p + psi)) by ring ];
    rewrite (cos_plus t), (sin_plus t); app_compute; ring.
Qed.

Theorem mirror_congruent_iff_symmetric :
  z1 <> 0 -> mirror_congruent plus minus <-> symmetric_under (2 * psi) angles.
Proof.
  assert (F : forall t, app (mul (rot_z t) reflect_z) (V 0 0 z2) = V 0 0 (- z2)).
  { intro t. rewrite app_mul. app_compute; ring. }
  intro Z. split.
  - intros (M & RM & P). destruct (improper_flipping_axis M RM) as [t ->].
    { apply isometry_flips_axis; [apply RM | exact P]. }
    apply (same_rings_of_isometry _ (F t)), rings_by_height in P as [P1 P2]; trivial.
    + destruct (turn_reflect_exchanges t) as [E1 E2]. rewrite E1 in P1. rewrite E2 in P2.
      apply lower_ring in P1. apply upper_ring in P2. unfold symmetric_under.
      apply (same_ring_trans _ (map (Rplus (t + psi)) angles)); trivial.
      replace (t + psi) with (2 * psi + (t - psi)) by ring. rewrite <- map_shift_shift.
      apply same_ring_sym, same_ring_shift, P1.
    + intro v. rewrite app_mul. dots; ring.
  - intro H. exists (mul (rot_z psi) reflect_z). split.
    { destruct reflect_z_improper as [O D]; destruct (rot_z_rotation psi) as [O' D'].
      split; [apply orthogonal_mul; trivial | rewrite mdet_mul, D, D'; ring]. }
    apply (same_rings_of_isometry _ (F _)). destruct (turn_reflect_exchanges psi) as [E1 E2].
    rewrite map_app, E1, E2. replace (psi - psi) with 0 by ring. rewrite map_shift_zero.
    replace (psi + psi) with (2 * psi) by ring. rewrite (proj2 (upper_ring _ _) H). apply Permutation_app_comm.
Qed.

(** ** Both rings in the plane z = 0 *)

Theorem planar_mirror_congruent : z1 = 0 -> mirror_congruent plus minus.
Proof.
  intro Z. exists reflect_z. split; [apply reflect_z_improper|].
  apply same_rings_of_isometry; [app_compute; ring|].
  assert (E : forall l, map (move reflect_z) (map up l ++ map low l) = map up l ++ map low l).
  { intro l. rewrite map_app, !map_map. f_equal; apply map_ext; intro p; unfold move, up, low, upper, lower;
      f_equal; app_compute; lra. }
  rewrite E. reflexivity.
Qed.

Theorem planar_congruent_iff_achiral :
  z1 = 0 -> congruent plus minus <-> achiral (angles ++ map (Rplus psi) angles).
Proof.
  intro Z. set (both := angles ++ map (Rplus psi) angles).
  assert (low_up : forall l, map low l = map up (map (Rplus psi) l)).
  { intro l. rewrite map_map. apply map_ext; intro p. unfold low, lower, up, upper.
    rewrite (Rplus_comm p), Z, Ropp_0. reflexivity. }
  assert (E : map up angles ++ map low angles = map up both) by (rewrite low_up, <- map_app; trivial).
  assert (T : forall t, map (move (half_turn t)) (map up both) = map up (map (fun p => t - p) both)).
  { intro t. rewrite !map_map. apply map_ext; intro p. unfold up, move, upper; simpl. f_equal.
    rewrite cos_minus, sin_minus. app_compute; lra. }
  split.
  - intros (M & RM & P). destruct (rotation_flipping_axis M RM) as [t ->].
    { apply isometry_flips_axis; [apply RM | exact P]. }
    apply (same_rings_of_isometry _ (half_turn_flips t)) in P. rewrite E, T in P.
    exists t. apply upper_ring, P.
  - intros [t H]. exists (half_turn t). split; [apply half_turn_rotation|].
    apply (same_rings_of_isometry _ (half_turn_flips t)). rewrite E, T. apply upper_ring, H.
Qed.
End Pair.

(** ** Achiral rings: at most two atoms, and isosceles triangles *)

Lemma short_rings_achiral ps : (length ps <= 2)%nat -> achiral ps.
Proof.
  destruct ps as [|p [|q [|x ps]]]; simpl; intro L; [| | |lia]; unfold achiral, same_ring; simpl.
  - exists 0. reflexivity.
  - exists (2 * p). replace (2 * p - p) with p by ring. reflexivity.
  - exists (p + q). replace (p + q - p) with q by ring. replace (p + q - q) with p by ring. apply perm_swap.
Qed.

Lemma isosceles_achiral p d : achiral [p; p + d; p - d].
Proof.
  exists (2 * p). unfold same_ring; simpl.
  replace (2 * p - p) with p by ring. replace (2 * p - (p + d)) with (p - d) by ring.
  replace (2 * p - (p - d)) with (p + d) by ring. constructor. apply perm_swap.
Qed.

Print Assumptions congruent_iff_achiral.
Print Assumptions mirror_congruent_iff_symmetric.
Print Assumptions planar_mirror_congruent.
Print Assumptions planar_congruent_iff_achiral.
